import { beforeAll, beforeEach, expect } from 'vitest';
import { putPublicKeys } from '../../lambdas/adapters/keyring/public-keys.ts';
import { createKeyring, publicKeysOf } from '../../lambdas/domain/keyring/keyring.ts';
import type { ApiAnswer, ApiCall, Json } from './api-call.ts';
import { aCaller, type CallAs, type Caller, rowsHolding, useApi } from './api-caller.ts';
import { seedOperator } from './seeded-keys.ts';
import type { Tables } from './tables.ts';

export const modes = ['live', 'test'] as const;

/** Gives each test its own account, calls about everything that an account may have, and the operator's calls. */
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
  const noCaller: Caller = { accountId: '', owner: '', key: '' };
  const current = { caller: noCaller, operator: noCaller };
  beforeAll(async () => {
    await putPublicKeys(tables.client, tables.credentialsTable, publicKeysOf(createKeyring()));
    current.operator = { ...noCaller, key: await seedOperator(tables) };
  });
  beforeEach(async () => {
    current.caller = await aCaller(tables);
  });

  const call = (caller: Caller, method: string, path: string, body?: unknown, options: ApiCall = {}) => {
    const api = apis[path.split('/')[1] ?? ''];
    if (!api) throw new Error(`no API function serves ${path}`);
    return api(method, path, caller, { ...options, ...(body === undefined ? {} : { body }) });
  };

  return {
    current,
    call,
    /** Makes a call that must succeed and returns its JSON body. */
    callOk: async (caller: Caller, method: string, path: string, body?: unknown): Promise<Json> => {
      const { status, json, text } = await call(caller, method, path, body);
      expect(status, text).toBeLessThan(300);
      return json;
    },
    /** Creates another API key of the account, in the given mode. */
    inMode: (mode: 'live' | 'test') => aCaller(tables, { accountId: current.caller.accountId, mode }),
    remove: (id = current.caller.accountId, options: ApiCall = {}): Promise<ApiAnswer> =>
      call(current.operator, 'DELETE', `/accounts/${id}`, undefined, options),
    accountExists: async (id = current.caller.accountId) =>
      (await call(current.operator, 'GET', `/accounts/${id}`)).status === 200,
    isKeyRefused: async (key: string) => (await call({ ...noCaller, key }, 'GET', '/keys')).status === 401,
    /**
     * Every row of the account, and the rows of its keys, which are stored under the keys' hashes.
     * The request counters `n` and `ws` are set to 0, because every call changes them.
     */
    rows: async (): Promise<Record<string, unknown>[]> => {
      const { accountId } = current.caller;
      const { domainTable, deliveryTable, credentialsTable } = tables;
      const accountRows = [
        ...(await rowsHolding(tables, domainTable, accountId)),
        ...(await rowsHolding(tables, deliveryTable, accountId)),
        ...(await rowsHolding(tables, deliveryTable, 'ACCOUNT-IDS')).filter(({ sk }) => sk === accountId),
        ...(await rowsHolding(tables, credentialsTable, accountId)),
        ...(await rowsHolding(tables, credentialsTable, 'ACCOUNTS')).filter(({ sk }) => sk === accountId),
        ...(await rowsHolding(tables, credentialsTable, 'K#')).filter(({ account_id }) => account_id === accountId),
      ];
      return accountRows.map((row) => ({ ...row, n: 0, ws: 0 }));
    },
  };
};
