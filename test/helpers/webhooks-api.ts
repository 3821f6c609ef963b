import { GetItemCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import { beforeAll, beforeEach } from 'vitest';
import { putPublicKeys } from '../../lambdas/adapters/keyring/public-keys.ts';
import { type Key, routingKey, webhookCountKey } from '../../lambdas/adapters/rows/table-keys.ts';
import { createKeyring, publicKeysOf } from '../../lambdas/domain/keyring/keyring.ts';
import { aCaller, type Caller, rowsHolding, useApi } from './api-caller.ts';
import type { Tables } from './tables.ts';

/** The least that makes a webhook; an address literal, so that no test asks a resolver. */
export const plain = { url: 'https://93.184.215.14/hook', events: ['task.accepted'] };

/** The webhooks function as each test's own caller uses it, and a look at what it wrote. */
export const useWebhooksApi = (tables: Tables) => {
  const keyring = createKeyring();
  const api = useApi(tables, 'webhooks-api');
  const current: { me: Caller } = { me: { accountId: '', owner: '', key: '' } };
  beforeAll(() => putPublicKeys(tables.client, tables.deliveryTable, publicKeysOf(keyring)));
  beforeEach(async () => {
    current.me = await aCaller(tables);
  });

  const call = (method: string, path: string, body?: unknown, headers: Readonly<Record<string, string>> = {}) =>
    api(method, `/webhooks${path}`, current.me, { body, headers });
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
    create: async (over: object = {}) => (await post({ ...plain, ...over })).json,
    patch: (id: string, body: unknown) => call('PATCH', `/${id}`, body),
    get: (id: string) => call('GET', `/${id}`),
    remove: (id: string) => call('DELETE', `/${id}`),
    rowAt,
    rows: () => rowsHolding(tables, tables.domainTable, current.me.owner),
    /** Who stands in the row of a type. */
    wanting: async (type: string): Promise<string[]> => {
      const row = await rowAt(routingKey(current.me.owner, type));
      return [...((row?.webhooks as Set<string> | undefined) ?? [])];
    },
    count: async (): Promise<number> => (await rowAt(webhookCountKey(current.me.owner)))?.n ?? 0,
    set: (key: Key, name: string, value: unknown) =>
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
