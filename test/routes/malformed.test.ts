import { beforeAll, describe, expect, test } from 'vitest';
import { createAccountsTable } from '../../lambdas/adapters/accounts/accounts-table.ts';
import { createKeyAuthenticator } from '../../lambdas/adapters/accounts/authenticate-key.ts';
import { createKeysTable } from '../../lambdas/adapters/accounts/keys-table.ts';
import { createTasksTable } from '../../lambdas/adapters/tasks/tasks-table.ts';
import { accountRoutes } from '../../lambdas/routes/accounts.ts';
import { keyRoutes } from '../../lambdas/routes/keys.ts';
import { taskRoutes } from '../../lambdas/routes/tasks.ts';
import { httpHandler } from '../../lambdas/runtime/http.ts';
import type { Route } from '../../lambdas/runtime/operation.ts';
import { type ApiCall, type ApiHandler, callApi } from '../helpers/api-call.ts';
import { seedAccount, seedOperator, tableNames } from '../helpers/seeded-keys.ts';
import { useTables } from '../helpers/tables.ts';

const place = { city: 'Oslo', address: 'A 1' };
const task = { item: 'Keys', pickup: place, dropoff: place };
const long = 'x'.repeat(501);

const calls: readonly (readonly [string, ApiCall])[] = [
  ['no body', {}],
  ['an empty body', { body: '' }],
  ['broken JSON', { body: '{"a":' }],
  ['bytes that are not UTF-8', { body: new Uint8Array([0xc3, 0x28]) }],
  ['a list', { body: [] }],
  ['null', { body: 'null' }],
  ['a number', { body: '1e400' }],
  ['an unknown field', { body: { nothing: 1 } }],
  ['an object with __proto__', { body: '{"__proto__":{"item":"x"},"constructor":1}' }],
  ['a lone surrogate', { body: '{"item":"\\udfff","name":"\\udfff"}' }],
  [
    'wrong types',
    { body: { item: [], name: {}, scopes: 'all', mode: 1, carrier: 'x', reason: 1, overlap_seconds: '1' } },
  ],
  ['a wrong media type', { body: '{}', headers: { 'content-type': 'text/html' } }],
  ['a body that is too large', { body: JSON.stringify({ item: 'x'.repeat(300_000) }) }],
  ['deep nesting', { body: `${'{"item":'.repeat(20_000)}1${'}'.repeat(20_000)}` }],
  ['an unknown query', { query: 'nothing=1' }],
  ['a bad limit', { query: 'limit=0' }],
  ['a bad cursor', { query: 'cursor=Li4vLi4' }],
  [
    'a cursor without a time',
    { query: `cursor=${Buffer.from(`|tsk_01KA8Z3M9Q4T7V2X5B8D1F6H0J`).toString('base64url')}` },
  ],
  ['a repeated query', { query: 'limit=1&limit=2' }],
  ['a broken query', { query: '%=%' }],
  ['a bad Idempotency-Key', { body: '{}', headers: { 'idempotency-key': 'a\tb' } }],
];

describe('malformed input', () => {
  const tables = useTables();
  const sets: { routes: readonly Route[]; handler: ApiHandler; key: string }[] = [];

  beforeAll(async () => {
    const { client, domainTable, deliveryTable } = tables;
    const { key } = await seedAccount(tables);
    const operator = await seedOperator(tables);
    const authenticate = createKeyAuthenticator(client, deliveryTable).authenticate;
    const add = (routes: readonly Route[], as: string) =>
      sets.push({ routes, handler: httpHandler(routes, { surface: 'native', authenticate }), key: as });
    add(taskRoutes(createTasksTable(client, domainTable)), key);
    add(keyRoutes(createKeysTable(client, tableNames(tables))), key);
    add(accountRoutes(createAccountsTable(client, tableNames(tables)), 30), operator);
  });

  test.each(calls)('%s gets a 4xx problem on every route, or success from a GET', async (_, call) => {
    for (const { routes, handler, key } of sets) {
      for (const { operation } of routes) {
        for (const id of [`${operation.idPrefix ?? 'tsk'}_01KA8Z3M9Q4T7V2X5B8D1F6H0J`, '..', '%00']) {
          const answer = await callApi(handler, operation.method, operation.path.replace('{id}', id), { key, ...call });

          expect(answer.status, `${operation.id} ${answer.text}`).toBeLessThan(500);
          if (answer.status < 400) expect(operation.method).toBe('GET');
          else
            expect(answer.json).toMatchObject({ type: expect.stringMatching(/^\/problems\//), status: answer.status });
        }
      }
    }
  });

  test.each([
    ['item', { item: undefined }],
    ['item', { item: '' }],
    ['item', { item: ' \n' }],
    ['item', { item: long }],
    ['category', { category: 'x'.repeat(101) }],
    ['size', { size: 'huge' }],
    ['size', { size: 'Envelope' }],
    ['urgency', { urgency: 'now' }],
    ['reward_nok', { reward_nok: -1 }],
    ['reward_nok', { reward_nok: 2.5 }],
    ['reward_nok', { reward_nok: '250' }],
    ['reward_nok', { reward_nok: 2 ** 53 }],
    ['pickup', { pickup: null }],
    ['pickup.city', { pickup: { address: 'A 1' } }],
    ['pickup.address', { pickup: { city: 'Oslo', address: long } }],
    ['pickup.zip', { pickup: { ...place, zip: '0001' } }],
    ['dropoff.city', { dropoff: { city: 7, address: 'B 2' } }],
    ['recipient.name', { recipient: {} }],
    ['recipient.phone', { recipient: { name: 'x', phone: '90000000' } }],
    ['recipient.phone', { recipient: { name: 'x', phone: '+47 90 00 00 00' } }],
    ['external_reference', { external_reference: 'x'.repeat(201) }],
    ['status', { status: 'completed' }],
    ['owner', { owner: 'acc_1#live' }],
  ])('POST /tasks names the wrong field %s', async (path, wrong) => {
    const [tasks] = sets;
    if (!tasks) throw new Error('no tasks');
    const { handler, key } = tasks;

    const { status, json } = await callApi(handler, 'POST', '/api/public/v1/tasks', {
      key,
      body: { ...task, ...wrong },
    });

    expect(status).toBe(422);
    expect(json.errors.map((error: { path: string }) => error.path)).toEqual([path]);
  });

  test('malformed requests create nothing', async () => {
    for (const { routes, handler, key } of sets) {
      const list = routes.find(({ operation }) => operation.id.startsWith('list'));
      const { json } = await callApi(handler, 'GET', list?.operation.path ?? '', { key });

      // One account and its first key exist, because the requests were sent with them.
      expect(json.data.length).toBe(list?.operation.id === 'listTasks' ? 0 : 1);
    }
  });
});
