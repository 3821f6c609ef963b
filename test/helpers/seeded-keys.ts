import { createAccountsTable } from '../../lambdas/adapters/accounts/accounts-table.ts';
import { createKeysTable } from '../../lambdas/adapters/accounts/keys-table.ts';
import { addFirstOperator } from '../../lambdas/adapters/accounts/operator-key.ts';
import { accountScopes, type Scope } from '../../lambdas/domain/accounts/api-key.ts';
import { createAccount } from '../../lambdas/domain/accounts/create-account.ts';
import { createApiKey } from '../../lambdas/domain/accounts/create-api-key.ts';
import { withChecksum } from '../../lambdas/domain/accounts/key-text.ts';
import { firstOperator } from '../../lambdas/domain/keyring/key-material.ts';
import type { Tables } from './tables.ts';

const by = { accountId: '', keyId: 'key_seeded', ip: '192.0.2.9' };
const firstCall = { idempotencyKey: null, contentHash: '', by };

/** The table names in the form that adapters of several tables take. */
export const tableNames = ({ domainTable, deliveryTable, credentialsTable }: Tables) => ({
  domain: domainTable,
  delivery: deliveryTable,
  credentials: credentialsTable,
});

/** Creates an account with one API key. `limit` is the number of requests per minute for each key. */
export const seedAccount = async (
  tables: Tables,
  {
    limit = 30_000,
    nowMs = Date.now(),
    retentionDays,
  }: { limit?: number; nowMs?: number; retentionDays?: number } = {},
): Promise<{ accountId: string; key: string }> => {
  const input = { name: 'account', rate_limit_per_minute: limit, retention_days: retentionDays };
  const created = await createAccount(
    { ...firstCall, nowMs },
    input,
    createAccountsTable(tables.client, tableNames(tables)),
    30,
  );
  return { accountId: created.answer.id, key: created.secret ?? '' };
};

/** Adds an API key to an account: by default a live key with all scopes of an account. */
export const seedKey = async (
  tables: Tables,
  accountId: string,
  { scopes = accountScopes, mode = 'live' }: { scopes?: readonly Scope[]; mode?: 'live' | 'test' } = {},
): Promise<string> => {
  const caller = { keyId: '', accountId, scopes: accountScopes, mode: 'live' as const };
  const request = { ...firstCall, by: { ...by, accountId }, caller, nowMs: Date.now() };
  const created = await createApiKey(
    request,
    { name: 'key', scopes, mode },
    createKeysTable(tables.client, tableNames(tables)),
  );
  return created.secret ?? '';
};

/** Stores the first operator with an API key, which has the `admin` scope, and returns the key. */
export const seedOperator = async ({ client, credentialsTable }: Tables): Promise<string> => {
  const text = withChecksum('pp_live_operator0operator0operator0oper0');
  const { operator, key } = firstOperator(text, 0);
  await addFirstOperator(client, credentialsTable, operator, key);
  return text;
};
