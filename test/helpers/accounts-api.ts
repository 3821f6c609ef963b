import { beforeAll, beforeEach, expect } from 'vitest';
import { putPublicKeys } from '../../lambdas/adapters/keyring/public-keys.ts';
import { createKeyring, publicKeysOf } from '../../lambdas/domain/keyring/keyring.ts';
import type { ApiAnswer, ApiCall, Json } from './api-call.ts';
import { aCaller, type CallAs, type Caller, rowsHolding, useApi } from './api-caller.ts';
import { seedOperator } from './seeded-keys.ts';
import type { Tables } from './tables.ts';

export const modes = ['live', 'test'] as const;

/** Each test's own account, whatever it may have, and the operator's calls about it. */
export const useAccountsApi = (tables: Tables) => {
  const catalogue = useApi(tables, 'catalogue-api');
  const apis: Readonly<Record<string, CallAs>> = {
    accounts: useApi(tables, 'accounts-api'),
    keys: useApi(tables, 'keys-api'),
    webhooks: useApi(tables, 'webhooks-api'),
    'event-types': catalogue,
    templates: catalogue,
    events: useApi(tables, 'events-api'),
    jobs: useApi(tables, 'jobs-api'),
    tasks: useApi(tables, 'tasks-api'),
  };
  const nobody: Caller = { accountId: '', owner: '', key: '' };
  const current = { me: nobody, operator: nobody };
  beforeAll(async () => {
    await putPublicKeys(tables.client, tables.deliveryTable, publicKeysOf(createKeyring()));
    current.operator = { ...nobody, key: await seedOperator(tables) };
  });
  beforeEach(async () => {
    current.me = await aCaller(tables);
  });

  const call = (caller: Caller, method: string, path: string, body?: unknown, more: ApiCall = {}) => {
    const api = apis[path.split('/')[1] ?? ''];
    if (!api) throw new Error(`nobody serves ${path}`);
    return api(method, path, caller, { ...more, ...(body === undefined ? {} : { body }) });
  };

  return {
    current,
    call,
    /** The same, of what must succeed. */
    done: async (caller: Caller, method: string, path: string, body?: unknown): Promise<Json> => {
      const { status, json, text } = await call(caller, method, path, body);
      expect(status, text).toBeLessThan(300);
      return json;
    },
    /** A caller of the account's, in a mode. */
    inMode: (mode: 'live' | 'test') => aCaller(tables, { accountId: current.me.accountId, mode }),
    remove: (id = current.me.accountId, more: ApiCall = {}): Promise<ApiAnswer> =>
      call(current.operator, 'DELETE', `/accounts/${id}`, undefined, more),
    isThere: async (id = current.me.accountId) =>
      (await call(current.operator, 'GET', `/accounts/${id}`)).status === 200,
    isRefused: async (key: string) => (await call({ ...nobody, key }, 'GET', '/keys')).status === 401,
    /** Every row of the account, but for what counting requests changes, and its keys, which stand by their hashes. */
    rows: async (): Promise<Record<string, unknown>[]> => {
      const { accountId } = current.me;
      const { domainTable, deliveryTable } = tables;
      const found = [
        ...(await rowsHolding(tables, domainTable, accountId)),
        ...(await rowsHolding(tables, deliveryTable, accountId)),
        ...(await rowsHolding(tables, deliveryTable, 'ACCOUNTS')).filter(({ sk }) => sk === accountId),
        ...(await rowsHolding(tables, deliveryTable, 'K#')).filter(({ account_id }) => account_id === accountId),
      ];
      return found.map((row) => ({ ...row, n: 0, ws: 0 }));
    },
  };
};
