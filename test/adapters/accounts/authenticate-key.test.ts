import { describe, expect, test } from 'vitest';
import { createAccountsTable } from '../../../lambdas/adapters/accounts/accounts-table.ts';
import { createKeyAuthenticator } from '../../../lambdas/adapters/accounts/authenticate-key.ts';
import { createKeysTable } from '../../../lambdas/adapters/accounts/keys-table.ts';
import { drawApiKey, type KeyCheck } from '../../../lambdas/domain/accounts/api-key.ts';
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

describe('authenticating an API key', () => {
  const tables = useTables();
  const createAuthenticate = () => createKeyAuthenticator(tables.client, tables.credentialsTable).authenticate;
  const requestMany = (count: number, key: string, nowMs: number) =>
    // Each request has its own authenticator, so that no request profits from a cached refusal.
    Promise.all(Array.from({ length: count }, () => createAuthenticate()(key, nowMs)));

  test('PP-7 PP reading 5: passes exactly 120 of 130 concurrent requests with a limit of 120, and no request 59.999 s later', async () => {
    const { key } = await seedAccount(tables, { limit: 120 });

    const burst = await requestMany(130, key, start);
    const later = await requestMany(5, key, start + 59_999);

    expect(outcomes(burst)).toEqual({ passed: 120, limited: 10 });
    expect(outcomes(later)).toEqual({ limited: 5 });
  });

  test('PP-7 PP reading 5: starts the minute at the first request: with a limit of 3, a fourth is limited at 59.999 s and 3 pass at 60 s', async () => {
    const { key } = await seedAccount(tables, { limit: 3 });
    const authenticate = createAuthenticate();

    const first = await authenticate(key, start);
    await requestMany(2, key, start + 50_000);
    const over = await authenticate(key, start + 59_999);
    const next = await requestMany(5, key, start + 60_000);

    expect(first).toMatchObject({ outcome: 'passed', quota: { limit: 3, remaining: 2, resetAtMs: start + 60_000 } });
    expect(over).toMatchObject({ outcome: 'limited', quota: { remaining: 0, resetAtMs: start + 60_000 } });
    expect(outcomes(next)).toEqual({ passed: 3, limited: 2 });
  });

  test('still answers limited 4 s after a refusal although the limit was raised, and passes a request after 5 s', async () => {
    const { accountId, key } = await seedAccount(tables, { limit: 1 });
    const authenticate = createAuthenticate();
    await authenticate(key, start);
    await authenticate(key, start + 1);

    const accounts = createAccountsTable(tables.client, tableNames(tables));
    await changeAccount({ id: accountId, change: { rate_limit_per_minute: 2 }, by, nowMs: start }, accounts, 30);

    expect((await authenticate(key, start + 4_000)).outcome).toBe('limited');
    expect((await authenticate(key, start + 5_001)).outcome).toBe('passed');
    expect((await authenticate(key, start + 5_002)).outcome).toBe('limited');
  });

  test('limits 3 further requests of the running minute if the limit is lowered from 10 to 4 after 5 requests', async () => {
    const { accountId, key } = await seedAccount(tables, { limit: 10 });
    await requestMany(5, key, start);

    const accounts = createAccountsTable(tables.client, tableNames(tables));
    await changeAccount({ id: accountId, change: { rate_limit_per_minute: 4 }, by, nowMs: start }, accounts, 30);

    expect(outcomes(await requestMany(3, key, start + 10))).toEqual({ limited: 3 });
  });

  test('answers unknown for a key from its expiry time on and immediately after its revocation', async () => {
    const { accountId, key } = await seedAccount(tables);
    const keys = createKeysTable(tables.client, tableNames(tables));
    const authenticate = createAuthenticate();
    const passed = await authenticate(key, start);
    const listedKey = passed.outcome === 'passed' ? await keys.find(accountId, passed.caller.keyId) : null;
    if (!listedKey) throw new Error('the key is not listed');

    await keys.expire(accountId, listedKey, start + 1000);
    const before = await authenticate(key, start + 999);
    const after = await authenticate(key, start + 1000);
    const { hash, key: expired } = listedKey;
    const entry = auditEntry(by, 'key.revoked', expired.id, start);
    await keys.revoke(accountId, { id: expired.id, hash }, entry, start + 10);
    const revoked = await authenticate(key, start + 11);

    expect([before.outcome, after.outcome, revoked.outcome]).toEqual(['passed', 'unknown', 'unknown']);
  });

  test("throws DynamoDB's error when the table is throttled", async () => {
    const busy = Object.assign(new Error('slow down'), { name: 'ProvisionedThroughputExceededException' });
    const client = { send: () => Promise.reject(busy) } as unknown as typeof tables.client;

    await expect(createKeyAuthenticator(client, 'delivery').authenticate(drawApiKey('live').key, start)).rejects.toBe(
      busy,
    );
  });
});
