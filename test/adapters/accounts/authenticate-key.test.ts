import { describe, expect, test } from 'vitest';
import { createAccountsTable } from '../../../lambdas/adapters/accounts/accounts-table.ts';
import { createKeyAuthenticator } from '../../../lambdas/adapters/accounts/authenticate-key.ts';
import { createKeysTable } from '../../../lambdas/adapters/accounts/keys-table.ts';
import type { KeyCheck } from '../../../lambdas/domain/accounts/api-key.ts';
import { changeAccount } from '../../../lambdas/domain/accounts/change-account.ts';
import { auditEntry } from '../../../lambdas/domain/foundation/audit.ts';
import { seedAccount, tableNames } from '../../helpers/seeded-keys.ts';
import { useTables } from '../../helpers/tables.ts';

const by = { accountId: '', keyId: 'key_1', ip: '192.0.2.1' };
const start = Date.parse('2026-11-16T09:30:00.000Z');

const outcomes = (checks: readonly KeyCheck[]): Record<string, number> => {
  const counts: Record<string, number> = {};
  for (const { outcome } of checks) counts[outcome] = (counts[outcome] ?? 0) + 1;
  return counts;
};

describe('the counter of a key', () => {
  const tables = useTables();
  const counter = () => createKeyAuthenticator(tables.client, tables.deliveryTable);
  const many = (count: number, key: string, nowMs: number) =>
    // Each a function of its own: what one remembers must not help the others.
    Promise.all(Array.from({ length: count }, () => counter()(key, nowMs)));

  test('PP-7 PP reading 5: passes exactly 120 of 130 at once', async () => {
    const { key } = await seedAccount(tables, { limit: 120 });

    const burst = await many(130, key, start);
    const later = await many(5, key, start + 59_999);

    expect(outcomes(burst)).toEqual({ passed: 120, limited: 10 });
    expect(outcomes(later)).toEqual({ limited: 5 });
  });

  test('PP-7 PP reading 5: begins a minute with its first request', async () => {
    const { key } = await seedAccount(tables, { limit: 3 });
    const count = counter();

    const first = await count(key, start);
    await many(2, key, start + 50_000);
    const over = await count(key, start + 59_999);
    const next = await many(5, key, start + 60_000);

    expect(first).toMatchObject({ outcome: 'passed', quota: { limit: 3, remaining: 2, resetAtMs: start + 60_000 } });
    expect(over).toMatchObject({ outcome: 'limited', quota: { remaining: 0, resetAtMs: start + 60_000 } });
    expect(outcomes(next)).toEqual({ passed: 3, limited: 2 });
  });

  test('remembers a refusal for five seconds at most', async () => {
    const { accountId, key } = await seedAccount(tables, { limit: 1 });
    const count = counter();
    await count(key, start);
    await count(key, start + 1);

    const accounts = createAccountsTable(tables.client, tableNames(tables));
    await changeAccount({ id: accountId, change: { rate_limit_per_minute: 2 }, by, nowMs: start }, accounts, 30);

    expect((await count(key, start + 4_000)).outcome).toBe('limited');
    expect((await count(key, start + 5_001)).outcome).toBe('passed');
    expect((await count(key, start + 5_002)).outcome).toBe('limited');
  });

  test('a lowered limit holds in the running minute', async () => {
    const { accountId, key } = await seedAccount(tables, { limit: 10 });
    await many(5, key, start);

    const accounts = createAccountsTable(tables.client, tableNames(tables));
    await changeAccount({ id: accountId, change: { rate_limit_per_minute: 4 }, by, nowMs: start }, accounts, 30);

    expect(outcomes(await many(3, key, start + 10))).toEqual({ limited: 3 });
  });

  test('knows a revoked or expired key no more, at once', async () => {
    const { accountId, key } = await seedAccount(tables);
    const keys = createKeysTable(tables.client, tableNames(tables));
    const count = counter();
    const passed = await count(key, start);
    const found = passed.outcome === 'passed' ? await keys.find(accountId, passed.caller.keyId) : null;
    if (!found) throw new Error('the key is not listed');

    await keys.expire(accountId, found, start + 1000);
    const before = await count(key, start + 999);
    const after = await count(key, start + 1000);
    const listed = { id: found.key.id, hash: found.hash };
    await keys.revoke(accountId, listed, auditEntry(by, 'key.revoked', found.key.id, start), start + 10);
    const revoked = await count(key, start + 11);

    expect([before.outcome, after.outcome, revoked.outcome]).toEqual(['passed', 'unknown', 'unknown']);
  });

  test('fails when the table is busy', async () => {
    const busy = Object.assign(new Error('slow down'), { name: 'ProvisionedThroughputExceededException' });
    const client = { send: () => Promise.reject(busy) } as unknown as typeof tables.client;

    await expect(createKeyAuthenticator(client, 'delivery')('pp_live_0', start)).rejects.toBe(busy);
  });
});
