import { UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createKeyAuthenticator } from '../../lambdas/adapters/accounts/authenticate-key.ts';
import { createKeysTable } from '../../lambdas/adapters/accounts/keys-table.ts';
import { keyRoutes } from '../../lambdas/routes/keys.ts';
import { httpHandler } from '../../lambdas/runtime/http.ts';
import { type ApiCall, type ApiHandler, callApi } from '../helpers/api-call.ts';
import { rowsHolding } from '../helpers/api-caller.ts';
import { seedAccount, seedKey, tableNames } from '../helpers/seeded-keys.ts';
import { useTables } from '../helpers/tables.ts';

const path = '/api/public/v1/keys';
const newKey = { name: 'till', scopes: ['tasks:read'] };
const tooMany = { status: 409, json: { type: '/problems/too_many_keys', errors: [{ code: 'too_many_keys' }] } };

describe('the number of living API keys of an account', () => {
  const tables = useTables();
  let handler: ApiHandler;
  let nowMs: number;
  let me: { accountId: string; key: string };

  beforeAll(() => {
    const { client, credentialsTable } = tables;
    const authenticate = createKeyAuthenticator(client, credentialsTable).authenticate;
    handler = httpHandler(keyRoutes(createKeysTable(client, tableNames(tables))), {
      surface: 'native',
      authenticate,
      now: () => nowMs,
    });
  });
  beforeEach(async () => {
    nowMs = Date.now();
    me = await seedAccount(tables, { nowMs });
  });

  const call = (method: string, to: string, options: ApiCall = {}) =>
    callApi(handler, method, to, { key: me.key, ...options });
  const create = (over: object = {}) => call('POST', path, { body: { ...newKey, ...over } });
  const inMs = (ms: number) => new Date(nowMs + ms).toISOString();
  /** Adds keys until the account has this number of keys. */
  const fillTo = async (count: number) => {
    for (let i = (await list()).length; i < count; i++) await seedKey(tables, me.accountId);
  };
  const list = async (): Promise<{ id: string; name: string; expires_at: string | null }[]> => {
    const keys = [];
    for (let cursor = ''; ; ) {
      const { json } = await call('GET', path, { query: `limit=100${cursor}` });
      keys.push(...json.data);
      if (json.next_cursor === null) return keys;
      cursor = `&cursor=${json.next_cursor}`;
    }
  };

  it('is at most 100: POST answers 201 to the hundredth key, 409 too_many_keys to the next and to a rotation, and 201 after a DELETE', async () => {
    await fillTo(99);

    expect((await create()).status).toBe(201);
    expect(await create()).toMatchObject(tooMany);
    const [{ id } = { id: '' }] = await list();
    expect(await call('POST', `${path}/${id}/rotate`)).toMatchObject(tooMany);
    expect(await list()).toHaveLength(100);

    expect((await call('DELETE', `${path}/${id}`)).status).toBe(204);
    expect((await create()).status).toBe(201);
    expect(await create()).toMatchObject(tooMany);
  });

  it('is exactly 100 after eight simultaneous POST requests to an account with 97 keys: three answer 201, five 409 too_many_keys', async () => {
    await fillTo(97);

    const answers = await Promise.all(Array.from({ length: 8 }, () => create()));

    expect(answers.filter(({ status }) => status === 201)).toHaveLength(3);
    expect(answers.filter(({ json }) => json.type === '/problems/too_many_keys')).toHaveLength(5);
    expect(await list()).toHaveLength(100);
  });

  it('does not include expired keys, which GET still lists: with 99 keys, a key counts until the second after its expires_at', async () => {
    await fillTo(99);
    expect((await create({ expires_at: inMs(60_000) })).status).toBe(201);
    nowMs += 59_999;
    expect(await create()).toMatchObject(tooMany);

    nowMs += 1002;

    expect((await create()).status).toBe(201);
    expect(await create()).toMatchObject(tooMany);
    expect(await list()).toHaveLength(101);
  });

  it('includes a rotated key during its overlap: with 99 keys, POST answers 409 after a rotation, and 201 when the overlap is over', async () => {
    await fillTo(99);
    const { id = '' } = (await list()).find(({ name }) => name === 'key') ?? {};
    expect((await call('POST', `${path}/${id}/rotate`, { body: { overlap_seconds: 60 } })).status).toBe(201);
    expect(await create()).toMatchObject(tooMany);

    nowMs += 61_001;

    expect((await create()).status).toBe(201);
  });

  // A function that dies between the two writes of an expiry leaves an expired key that the list shows as living.
  it('does not include a rotated key whose first rotation died before it changed the list, after a second rotation', async () => {
    await fillTo(98);
    const { id = '' } = (await list()).find(({ name }) => name === 'key') ?? {};
    const rotate = () => call('POST', `${path}/${id}/rotate`, { body: { overlap_seconds: 60 } });
    await rotate();
    const Key = marshall({ pk: `L#${me.accountId}`, sk: id });
    const ExpressionAttributeNames = { '#ttl': 'ttl' };
    const update = { Key, UpdateExpression: 'REMOVE #ttl', ExpressionAttributeNames };
    await tables.client.send(new UpdateItemCommand({ TableName: tables.credentialsTable, ...update }));
    nowMs += 1000;
    expect((await rotate()).status).toBe(201);
    expect(await create()).toMatchObject(tooMany);

    nowMs += 60_001;

    expect((await create()).status).toBe(201);
  });

  it('may be 1 after 140 keys expired: GET and the table then have this key and the newest expired keys, fewer than 120 together', async () => {
    for (let i = 0; i < 140; i++) {
      expect((await create({ name: `k${i}`, expires_at: inMs(1) })).status).toBe(201);
      nowMs += 1002;
    }

    const names = (await list()).map(({ name }) => name);

    expect(names.length).toBeLessThan(120);
    expect(names.slice(0, 100)).toEqual(Array.from({ length: 100 }, (_, i) => `k${139 - i}`));
    expect(names.at(-1)).toBe('first key');
    expect(await rowsHolding(tables, tables.credentialsTable, `L#${me.accountId}`)).toHaveLength(names.length + 1);
  });
});
