import { createAccountsTable } from '../../lambdas/adapters/accounts/accounts-table.ts';
import { createKeysTable } from '../../lambdas/adapters/accounts/keys-table.ts';
import { addOperatorKey } from '../../lambdas/adapters/accounts/operator-key.ts';
import { accountScopes, hashApiKey, type Scope } from '../../lambdas/domain/accounts/api-key.ts';
import { createAccount } from '../../lambdas/domain/accounts/create-account.ts';
import { createApiKey } from '../../lambdas/domain/accounts/create-api-key.ts';
import type { Tables } from './tables.ts';

const by = { accountId: '', keyId: 'key_seeded', ip: '192.0.2.9' };
const once = { idempotencyKey: null, contentHash: '', by };

/** The names of the tables as adapters of both take them. */
export const tableNames = ({ domainTable, deliveryTable }: Tables) => ({
  domain: domainTable,
  delivery: deliveryTable,
});

/** A new account with its first key. */
export const seedAccount = async (
  tables: Tables,
  {
    limit = 30_000,
    nowMs = Date.now(),
    retentionDays,
  }: { limit?: number; nowMs?: number; retentionDays?: number } = {},
): Promise<{ accountId: string; key: string }> => {
  const wanted = { name: 'account', rate_limit_per_minute: limit, retention_days: retentionDays };
  const made = await createAccount(
    { ...once, nowMs },
    wanted,
    createAccountsTable(tables.client, tableNames(tables)),
    30,
  );
  return { accountId: made.answer.id, key: made.secret ?? '' };
};

/** One more key of an account. */
export const seedKey = async (
  tables: Tables,
  accountId: string,
  { scopes = accountScopes, mode = 'live' }: { scopes?: readonly Scope[]; mode?: 'live' | 'test' } = {},
): Promise<string> => {
  const caller = { keyId: '', accountId, scopes: accountScopes, mode: 'live' as const };
  const request = { ...once, by: { ...by, accountId }, caller, nowMs: Date.now() };
  const made = await createApiKey(
    request,
    { name: 'key', scopes, mode },
    createKeysTable(tables.client, tableNames(tables)),
  );
  return made.secret ?? '';
};

/** The operator's key. */
export const seedOperator = async ({ client, deliveryTable }: Tables): Promise<string> => {
  const key = 'pp_live_operator0operator0operator0';
  await addOperatorKey(client, deliveryTable, {
    hash: hashApiKey(key),
    id: 'key_Z0000000000000000000000000',
    name: 'operator',
    prefix: key.slice(0, 12),
    scopes: ['admin'],
    mode: 'live',
    limit: 600,
    created_at: new Date(0).toISOString(),
    ws: 0,
    n: 0,
  });
  return key;
};
