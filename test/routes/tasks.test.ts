import { beforeAll, describe, expect, test } from 'vitest';
import { createKeyAuthenticator } from '../../lambdas/adapters/accounts/authenticate-key.ts';
import { createTasksTable } from '../../lambdas/adapters/tasks/tasks-table.ts';
import { taskRoutes } from '../../lambdas/routes/tasks.ts';
import { httpHandler } from '../../lambdas/runtime/http.ts';
import { type ApiCall, type ApiHandler, callApi } from '../helpers/api-call.ts';
import { seedAccount, seedKey } from '../helpers/seeded-keys.ts';
import { useTables } from '../helpers/tables.ts';

const path = '/api/public/v1/tasks';
const minimal = { item: 'Keys', pickup: { city: 'Oslo', address: 'A 1' }, dropoff: { city: 'Bergen', address: 'B 2' } };

// The example request in the documentation of PassPost.
const complete = {
  ...minimal,
  item: 'Forgotten passport',
  category: 'Documents',
  size: 'envelope',
  urgency: 'express',
  reward_nok: 250,
  recipient: { name: 'Jane Doe', phone: '+4790000000' },
  external_reference: 'RES-2026-00042',
};

describe('the /tasks routes', () => {
  const tables = useTables();
  let handler: ApiHandler;
  let accountId: string;
  let key: string;

  beforeAll(async () => {
    const { client, domainTable, credentialsTable } = tables;
    handler = httpHandler(taskRoutes(createTasksTable(client, domainTable, 30)), {
      surface: 'native',
      authenticate: createKeyAuthenticator(client, credentialsTable).authenticate,
    });
    ({ accountId, key } = await seedAccount(tables));
  });

  const call = (method: string, to: string, options: ApiCall = {}) => callApi(handler, method, to, { key, ...options });
  const create = async (body: object = minimal, options: ApiCall = {}) => call('POST', path, { body, ...options });
  const move = (id: string, name: string, body?: object) => call('POST', `${path}/${id}/${name}`, { body });

  test('PP-3 PP-4 POST /tasks answers 201 to a task with every documented field, and GET of its location returns the same JSON', async () => {
    const { status, headers, json } = await create(complete);

    expect(status).toBe(201);
    expect(headers.location).toBe(`${path}/${json.id}`);
    expect(headers['x-request-id']).toMatch(/^req_/);
    expect(json).toMatchObject({ ...complete, status: 'created', version: 1, carrier: null, accepted_at: null });
    expect(json.created_at).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    expect((await call('GET', headers.location ?? '')).json).toEqual(json);
  });

  test('PP-3 PP reading 8: POST /tasks answers 201 to a task with only item, pickup and dropoff; the optional fields are null', async () => {
    const { status, json } = await create();

    expect(status).toBe(201);
    expect(json).toMatchObject({ category: null, size: null, urgency: null, reward_nok: null, recipient: null });
  });

  test('PP-1 PP-2 answers 401 without a valid key, and 403 to POST /tasks with a key that has only the scope tasks:read', async () => {
    const reader = await seedKey(tables, accountId, { scopes: ['tasks:read'] });

    const nobody = await callApi(handler, 'GET', path);
    const unknown = await call('GET', path, { key: 'pp_live_00000000000000000000' });
    const unscoped = await create(minimal, { key: reader });

    expect(nobody.status).toBe(401);
    expect(nobody.headers['www-authenticate']).toMatch(/^Bearer/);
    expect(unknown.status).toBe(401);
    expect(unscoped).toMatchObject({ status: 403, json: { type: '/problems/forbidden' } });
    expect(unscoped.headers.ratelimit).toBeDefined();
    expect((await call('GET', path, { key: reader })).status).toBe(200);
  });

  test('GET /tasks answers 200 when the scheme word before the API key is bEARER', async () => {
    const { status } = await callApi(handler, 'GET', path, { headers: { authorization: `bEARER ${key}` } });

    expect(status).toBe(200);
  });

  test('PP reading 6: accept, pick-up, deliver and complete move a task through its statuses, and each move adds a version and a time', async () => {
    const { id } = (await create()).json;
    const carrier = { name: 'John Doe', phone: '+4791111111' };

    const accepted = await move(id, 'accept', { carrier });
    const pickedUp = await move(id, 'pick-up');
    const delivered = await move(id, 'deliver');
    const completed = await move(id, 'complete');

    expect(accepted).toMatchObject({ status: 200, json: { status: 'accepted', version: 2, carrier } });
    expect(pickedUp.json).toMatchObject({ status: 'picked_up', version: 3, carrier });
    expect(delivered.json).toMatchObject({ status: 'delivered', version: 4 });
    expect(completed.json).toMatchObject({ status: 'completed', version: 5, cancelled_at: null });
    for (const step of ['accepted', 'picked_up', 'delivered', 'completed']) {
      expect(completed.json[`${step}_at`]).not.toBeNull();
    }
  });

  test('PP reading 6: deliver of a created task answers 409 and names both statuses; accept of a cancelled task does not change the task', async () => {
    const { id } = (await create()).json;

    const early = await move(id, 'deliver');
    await move(id, 'cancel', { reason: 'found' });
    const late = await move(id, 'accept');

    expect(early).toMatchObject({ status: 409, json: { detail: 'A task that is created cannot become delivered.' } });
    expect(late.json.detail).toContain('cancelled');
    expect((await call('GET', `${path}/${id}`)).json).toMatchObject({ cancel_reason: 'found', version: 2 });
  });

  test('eight simultaneous accept and cancel calls for a task get 200 or 409, and its version rises by 1 for each 200', async () => {
    const { id } = (await create()).json;

    const answers = await Promise.all(Array.from({ length: 8 }, (_, i) => move(id, i % 2 ? 'accept' : 'cancel')));

    const statuses = answers.map(({ status }) => status);
    const { json } = await call('GET', `${path}/${id}`);
    // An accepted task may be cancelled, but a cancelled task cannot be accepted.
    expect(statuses.filter((status) => status === 200)).toHaveLength(json.version - 1);
    expect(statuses.every((status) => status === 200 || status === 409)).toBe(true);
  });

  test('PP reading 7: POST /tasks repeats its first 201 answer for the same Idempotency-Key, also after accept, and answers 422 to another body', async () => {
    const headers = { 'idempotency-key': 'order-1' };
    const reordered = Object.fromEntries(Object.entries(complete).toReversed());

    const first = await create(complete, { headers });
    await move(first.json.id, 'accept');
    const again = await create(reordered, { headers });
    const other = await create(minimal, { headers });

    expect(again).toMatchObject({ status: 201, headers: { 'idempotency-replayed': 'true' } });
    expect(again.headers.location).toBe(first.headers.location);
    expect(again.text).toBe(first.text);
    expect(first.headers['idempotency-replayed']).toBeUndefined();
    expect(other).toMatchObject({ status: 422, json: { type: '/problems/idempotency_mismatch' } });
  });

  test('each move repeats its first answer for the same Idempotency-Key, also after all later moves, and answers 422 to another body and 409 without the key', async () => {
    const bodies: [string, object][] = [
      ['accept', { carrier: { name: 'Ola', phone: null } }],
      ['pick-up', {}],
      ['deliver', {}],
      ['complete', {}],
    ];
    const { id } = (await create()).json;
    const keyed = (name: string, body: object, idempotencyKey = 'move-1', task = id) =>
      call('POST', `${path}/${task}/${name}`, { body, headers: { 'idempotency-key': idempotencyKey } });

    const first = [];
    for (const [name, body] of bodies) first.push(await keyed(name, body));
    const again = [];
    for (const [name, body] of bodies) again.push(await keyed(name, body));
    const other = await keyed('accept', { carrier: null });
    const unkeyed = await move(id, 'accept', bodies[0]?.[1]);
    const otherKey = await keyed('complete', {}, 'move-2');

    expect(first.map(({ status, headers }) => [status, headers['idempotency-replayed']])).toEqual(
      bodies.map(() => [200, undefined]),
    );
    expect(again.map(({ status, headers }) => [status, headers['idempotency-replayed']])).toEqual(
      bodies.map(() => [200, 'true']),
    );
    expect(again.map(({ json }) => json)).toEqual(first.map(({ json }) => json));
    expect([other.status, unkeyed.status, otherKey.status]).toEqual([422, 409, 409]);
    expect(other.json.type).toBe('/problems/idempotency_mismatch');
    expect((await call('GET', `${path}/${id}`)).json).toEqual(first[3]?.json);

    const cancelled = (await create()).json.id;
    await move(cancelled, 'accept');
    const cancel = await keyed('cancel', { reason: 'late' }, 'move-1', cancelled);
    const repeat = await keyed('cancel', { reason: 'late' }, 'move-1', cancelled);
    expect([repeat.status, repeat.headers['idempotency-replayed'], repeat.json]).toEqual([200, 'true', cancel.json]);
  });

  test('accept gives ten simultaneous requests with the same Idempotency-Key one answer, and marks nine of them as replayed', async () => {
    const { id } = (await create()).json;
    const accept = () => call('POST', `${path}/${id}/accept`, { body: {}, headers: { 'idempotency-key': 'once' } });

    const answers = await Promise.all(Array.from({ length: 10 }, accept));

    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
    expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
    expect(answers.filter(({ headers }) => headers['idempotency-replayed'] === 'true')).toHaveLength(9);
  });

  test('POST /tasks gives ten simultaneous requests with the same Idempotency-Key one answer, and marks nine of them as replayed', async () => {
    const headers = { 'idempotency-key': 'twins' };

    const answers = await Promise.all(Array.from({ length: 10 }, () => create(minimal, { headers })));

    expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
    expect(answers.filter((answer) => answer.headers['idempotency-replayed'] === undefined)).toHaveLength(1);
  });

  test('for a key of another account or mode, GET and accept answer 404, the list is empty, and a used Idempotency-Key creates a new task', async () => {
    const { id } = (await create(minimal, { headers: { 'idempotency-key': 'mine' } })).json;
    const other = await seedAccount(tables);
    const testKey = await seedKey(tables, accountId, { mode: 'test' });

    for (const foreign of [other.key, testKey]) {
      expect((await call('GET', `${path}/${id}`, { key: foreign })).status).toBe(404);
      expect((await call('POST', `${path}/${id}/accept`, { key: foreign })).status).toBe(404);
      expect((await call('GET', path, { key: foreign })).json.data).toEqual([]);
      const same = await create(complete, { key: foreign, headers: { 'idempotency-key': 'mine' } });
      expect(same.status).toBe(201);
      expect(same.json.id).not.toBe(id);
    }
  });
});
