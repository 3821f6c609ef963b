import { paginateScan } from '@aws-sdk/client-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import { afterAll, beforeAll, vi } from 'vitest';
import type { Scope } from '../../lambdas/domain/accounts/api-key.ts';
import { env } from '../../lambdas/runtime/env.ts';
import { type InterceptorProxy, startInterceptorProxy } from '../../local/wiring/interceptor.ts';
import { createUseRecorder } from '../privilege/recorder.ts';
import { leaveRows } from '../secrecy/writing.ts';
import { type ApiAnswer, type ApiCall, type ApiHandler, callApi } from './api-call.ts';
import { seedAccount, seedKey } from './seeded-keys.ts';
import type { Tables } from './tables.ts';

/** A valid API key with its account and owner key. */
export interface Caller {
  readonly accountId: string;
  readonly owner: string;
  readonly key: string;
}

/** Calls a function as the caller. The path is relative to the base path of the surface. */
export type CallAs = (method: string, path: string, caller: Caller, call?: ApiCall) => Promise<ApiAnswer>;

/** Loads a deployed function with the test's tables, and records its calls to the tables. */
export const useApi = (tables: Tables, name: string, base = '/api/public/v1'): CallAs => {
  const recorder = createUseRecorder([name], (table) => `${table}-table`);
  let proxy: InterceptorProxy;
  let handler: ApiHandler;
  beforeAll(async () => {
    const pass = recorder.before((_, forward) => forward());
    proxy = await startInterceptorProxy({ dynamodb: tables.endpoint }, pass, async () => undefined);
    vi.stubEnv('AWS_REGION', 'us-east-1');
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'local');
    vi.stubEnv(env.domainTable, tables.domainTable);
    vi.stubEnv(env.deliveryTable, tables.deliveryTable);
    vi.stubEnv(env.credentialsTable, tables.credentialsTable);
    vi.stubEnv(env.retentionDays, '30');
    vi.stubEnv(env.ownHosts, 'api.example.com');
    const entry = (await import(`../../lambdas/functions/${name}.ts`)) as { handler: ApiHandler };
    handler = entry.handler;
  });
  afterAll(async () => {
    await proxy?.stop();
    recorder.leave();
    for (const table of [tables.domainTable, tables.deliveryTable, tables.credentialsTable]) {
      await leaveRows(tables.endpoint, table, `${table}-table`);
    }
  });
  return (method, path, { key }, call = {}) => {
    // The SDK reads these variables at a function's first call, and a test file may use several functions.
    vi.stubEnv('AWS_ACCESS_KEY_ID', name);
    vi.stubEnv('AWS_ENDPOINT_URL_DYNAMODB', proxy.endpoint);
    return callApi(handler, method, `${base}${path}`, { key, ...call });
  };
};

/** Creates a caller with a new account, or with the given account. */
export const aCaller = async (
  tables: Tables,
  options: { accountId?: string; mode?: 'live' | 'test'; scopes?: readonly Scope[] } = {},
): Promise<Caller> => {
  const { mode = 'live' } = options;
  const accountId = options.accountId ?? (await seedAccount(tables)).accountId;
  const key = await seedKey(tables, accountId, { mode, ...(options.scopes ? { scopes: options.scopes } : {}) });
  return { accountId, owner: `${accountId}#${mode}`, key };
};

/** Returns every row of a table whose partition key contains the text, sorted by key. */
export const rowsHolding = async (tables: Tables, table: string, text: string): Promise<Record<string, unknown>[]> => {
  const rows: Record<string, unknown>[] = [];
  for await (const { Items = [] } of paginateScan(
    { client: tables.client },
    { TableName: table, ConsistentRead: true },
  )) {
    rows.push(...Items.map((item) => unmarshall(item)));
  }
  const matching = rows.filter(({ pk }) => String(pk).includes(text));
  return matching.toSorted((a, b) => (`${a.pk} ${a.sk}` < `${b.pk} ${b.sk}` ? -1 : 1));
};
