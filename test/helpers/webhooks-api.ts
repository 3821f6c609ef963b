import { GetItemCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import { beforeAll, beforeEach } from 'vitest';
import { putPublicKeys } from '../../lambdas/adapters/keyring/public-keys.ts';
import { type Key, routingKey, webhookCountKey } from '../../lambdas/adapters/rows/table-keys.ts';
import { createKeyring, publicKeysOf } from '../../lambdas/domain/keyring/keyring.ts';
import { aCaller, type Caller, rowsHolding, useApi } from './api-caller.ts';
import type { Tables } from './tables.ts';

/** The smallest valid body of POST /webhooks. Its URL holds an IP address, so no test needs a DNS lookup. */
export const minimalWebhook = { url: 'https://93.184.215.14/hook', events: ['task.accepted'] };

/** Calls the webhooks-api function with a new account for each test, and reads the rows that the function wrote. */
export const useWebhooksApi = (tables: Tables) => {
  const keyring = createKeyring();
  const api = useApi(tables, 'webhooks-api');
  const current: { caller: Caller } = { caller: { accountId: '', owner: '', key: '' } };
  beforeAll(() => putPublicKeys(tables.client, tables.credentialsTable, publicKeysOf(keyring)));
  beforeEach(async () => {
    current.caller = await aCaller(tables);
  });

  const call = (method: string, path: string, body?: unknown, headers: Readonly<Record<string, string>> = {}) =>
    api(method, `/webhooks${path}`, current.caller, { body, headers });
  const post = (body: unknown, headers?: Readonly<Record<string, string>>) => call('POST', '', body, headers);

  const rowAt = async (key: Key) => {
    const { Item } = await tables.client.send(
      new GetItemCommand({ TableName: tables.domainTable, Key: marshall(key), ConsistentRead: true }),
    );
    return Item && unmarshall(Item);
  };

  return {
    api,
    keyring,
    current,
    post,
    create: async (overrides: object = {}) => (await post({ ...minimalWebhook, ...overrides })).json,
    patch: (id: string, body: unknown) => call('PATCH', `/${id}`, body),
    get: (id: string) => call('GET', `/${id}`),
    remove: (id: string) => call('DELETE', `/${id}`),
    rowAt,
    rows: () => rowsHolding(tables, tables.domainTable, current.caller.owner),
    /** The entries (`whk_…|resource`) in the routing row of an event type. */
    routesOf: async (type: string): Promise<string[]> => {
      const row = await rowAt(routingKey(current.caller.owner, type, null));
      return [...((row?.webhooks as Set<string> | undefined) ?? [])];
    },
    webhookCount: async (): Promise<number> => (await rowAt(webhookCountKey(current.caller.owner)))?.n ?? 0,
    setAttribute: (key: Key, name: string, value: unknown) =>
      tables.client.send(
        new UpdateItemCommand({
          TableName: tables.domainTable,
          Key: marshall(key),
          UpdateExpression: 'SET #name = :value',
          ExpressionAttributeNames: { '#name': name },
          ExpressionAttributeValues: marshall({ ':value': value }),
        }),
      ),
  };
};
