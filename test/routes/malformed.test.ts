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
  ['a list as the body', { body: [] }],
  ['null as the body', { body: 'null' }],
  ['a number as the body', { body: '1e400' }],
  ['an unknown field', { body: { nothing: 1 } }],
  ['a member __proto__', { body: '{"__proto__":{"item":"x"},"constructor":1}' }],
  ['a lone surrogate', { body: '{"item":"\\udfff","name":"\\udfff"}' }],
  [
    'fields of wrong types',
    { body: { item: [], name: {}, scopes: 'all', mode: 1, carrier: 'x', reason: 1, overlap_seconds: '1' } },
  ],
  ['a wrong media type', { body: '{}', headers: { 'content-type': 'text/html' } }],
  ['a body that is too large', { body: JSON.stringify({ item: 'x'.repeat(300_000) }) }],
  ['20,000 levels of nesting', { body: `${'{"item":'.repeat(20_000)}1${'}'.repeat(20_000)}` }],
  ['an unknown query parameter', { query: 'nothing=1' }],
  ['limit=0', { query: 'limit=0' }],
  ['a malformed cursor', { query: 'cursor=Li4vLi4' }],
  [
    'a cursor without a time',
    { query: `cursor=${Buffer.from(`|tsk_01KA8Z3M9Q4T7V2X5B8D1F6H0J`).toString('base64url')}` },
  ],
  ['a repeated query parameter', { query: 'limit=1&limit=2' }],
  ['a query that cannot be decoded', { query: '%=%' }],
  ['a tab in the Idempotency-Key', { body: '{}', headers: { 'idempotency-key': 'a\tb' } }],
];

describe('malformed requests to the routes of tasks, keys and accounts', () => {
  const tables = useTables();
  const sets: { routes: readonly Route[]; handler: ApiHandler; key: string }[] = [];

  beforeAll(async () => {
    const { client, domainTable, credentialsTable } = tables;
    const { key } = await seedAccount(tables);
    const operator = await seedOperator(tables);
    const authenticate = createKeyAuthenticator(client, credentialsTable).authenticate;
    const add = (routes: readonly Route[], as: string) =>
      sets.push({ routes, handler: httpHandler(routes, { surface: 'native', authenticate }), key: as });
    add(taskRoutes(createTasksTable(client, domainTable, 30)), key);
    add(keyRoutes(createKeysTable(client, tableNames(tables))), key);
    add(accountRoutes(createAccountsTable(client, tableNames(tables)), 30), operator);
  });

  test.each(calls)(
    'a request with %s gets a 4xx answer with a problem document on every route; only a GET may succeed',
    async (_, call) => {
      for (const { routes, handler, key } of sets) {
        for (const { operation } of routes) {
          for (const id of [`${operation.idPrefix ?? 'tsk'}_01KA8Z3M9Q4T7V2X5B8D1F6H0J`, '..', '%00']) {
            const answer = await callApi(handler, operation.method, operation.path.replace('{id}', id), {
              key,
              ...call,
            });

            expect(answer.status, `${operation.id} ${answer.text}`).toBeLessThan(500);
            if (answer.status < 400) expect(operation.method).toBe('GET');
            else
              expect(answer.json).toMatchObject({
                type: expect.stringMatching(/^\/problems\//),
                status: answer.status,
              });
          }
        }
      }
    },
  );

  test.each([
    ['a missing item', 'item', { item: undefined }],
    ['an empty item', 'item', { item: '' }],
    ['a blank item', 'item', { item: ' \n' }],
    ['an item of 501 characters', 'item', { item: long }],
    ['a category of 101 characters', 'category', { category: 'x'.repeat(101) }],
    ['an unknown size', 'size', { size: 'huge' }],
    ['a size with a capital letter', 'size', { size: 'Envelope' }],
    ['an unknown urgency', 'urgency', { urgency: 'now' }],
    ['a negative reward', 'reward_nok', { reward_nok: -1 }],
    ['a fractional reward', 'reward_nok', { reward_nok: 2.5 }],
    ['a reward that is a string', 'reward_nok', { reward_nok: '250' }],
    ['a reward of 2^53', 'reward_nok', { reward_nok: 2 ** 53 }],
    ['a pickup that is null', 'pickup', { pickup: null }],
    ['a pickup without a city', 'pickup.city', { pickup: { address: 'A 1' } }],
    ['a pickup address of 501 characters', 'pickup.address', { pickup: { city: 'Oslo', address: long } }],
    ['an unknown field in pickup', 'pickup.zip', { pickup: { ...place, zip: '0001' } }],
    ['a dropoff city that is a number', 'dropoff.city', { dropoff: { city: 7, address: 'B 2' } }],
    ['a recipient without a name', 'recipient.name', { recipient: {} }],
    ['a phone number without a country code', 'recipient.phone', { recipient: { name: 'x', phone: '90000000' } }],
    ['a phone number with spaces', 'recipient.phone', { recipient: { name: 'x', phone: '+47 90 00 00 00' } }],
    ['an external reference of 201 characters', 'external_reference', { external_reference: 'x'.repeat(201) }],
    ['the read-only field status', 'status', { status: 'completed' }],
    ['the unknown field customer', 'customer', { customer: 'a' }],
  ])('POST /tasks answers 422 to %s, and the only error names %s', async (_, path, wrong) => {
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

  test('after all malformed requests, the lists show no task, and only the one key and the one account from before', async () => {
    for (const { routes, handler, key } of sets) {
      const list = routes.find(({ operation }) => operation.id.startsWith('list'));
      const { json } = await callApi(handler, 'GET', list?.operation.path ?? '', { key });

      // One account and its first key exist, because the requests were sent with them.
      expect(json.data.length).toBe(list?.operation.id === 'listTasks' ? 0 : 1);
    }
  });
});
