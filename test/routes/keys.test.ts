import { beforeAll, describe, expect, test } from 'vitest';
import { createKeyAuthenticator } from '../../lambdas/adapters/accounts/authenticate-key.ts';
import { createKeysTable } from '../../lambdas/adapters/accounts/keys-table.ts';
import { accountScopes } from '../../lambdas/domain/accounts/api-key.ts';
import { keyRoutes } from '../../lambdas/routes/keys.ts';
import { httpHandler } from '../../lambdas/runtime/http.ts';
import { type ApiCall, type ApiHandler, callApi } from '../helpers/api-call.ts';
import { seedAccount, seedKey, tableNames } from '../helpers/seeded-keys.ts';
import { useTables } from '../helpers/tables.ts';

const path = '/api/public/v1/keys';
const newKey = { name: 'front desk', scopes: ['keys:read', 'tasks:read'] };

describe('the /keys routes', () => {
  const tables = useTables();
  let handler: ApiHandler;
  let nowMs = Date.now();

  beforeAll(() => {
    const { client, credentialsTable } = tables;
    const authenticate = createKeyAuthenticator(client, credentialsTable).authenticate;
    handler = httpHandler(keyRoutes(createKeysTable(client, tableNames(tables))), {
      surface: 'native',
      authenticate,
      now: () => nowMs,
    });
  });

  // The first key of the account is one second older than every key that the handler creates.
  const account = () => seedAccount(tables, { nowMs: nowMs - 1000 });
  const as =
    (key: string) =>
    (method: string, to: string, options: ApiCall = {}) =>
      callApi(handler, method, to, { key, ...options });

  test('PP-2 POST /keys answers 201 with a new key that works; GET /keys lists the key by name, without the text of the key', async () => {
    const { key } = await account();
    const call = as(key);

    const { status, json } = await call('POST', path, { body: newKey });
    const listed = await as(json.key)('GET', path);

    expect(status).toBe(201);
    expect(json.key).toMatch(/^pp_live_[0-9A-Za-z]{38}$/);
    expect(json).toMatchObject({ ...newKey, mode: 'live', last_used_at: null, expires_at: null });
    expect(json.key.startsWith(json.prefix)).toBe(true);
    expect(listed.json.data.map(({ name }: { name: string }) => name)).toEqual(['front desk', 'first key']);
    expect(listed.text).not.toContain(json.key);
    expect(listed.json.data[0].last_used_at).not.toBeNull();
  });

  test('POST answers 403 to a scope that the calling key does not have, to the scope admin, and to a live key requested by a test key', async () => {
    const { accountId } = await account();
    const maker = as(await seedKey(tables, accountId, { scopes: ['keys:write', 'tasks:read'] }));
    const tester = as(await seedKey(tables, accountId, { mode: 'test' }));

    const more = await maker('POST', path, { body: { name: 'x', scopes: ['tasks:read', 'tasks:write'] } });
    const operator = await maker('POST', path, { body: { name: 'x', scopes: ['admin'] } });
    const live = await tester('POST', path, { body: { name: 'x', scopes: ['tasks:read'], mode: 'live' } });
    const same = await tester('POST', path, { body: { name: 'x', scopes: ['tasks:read'] } });

    expect([more.status, operator.status, live.status]).toEqual([403, 403, 403]);
    expect(more.json.detail).toContain('tasks:write');
    expect(same).toMatchObject({ status: 201, json: { mode: 'test' } });
  });

  test('for the first live key, rotate answers 403 to a key with fewer scopes, and rotate and DELETE answer 403 to a test key', async () => {
    const { accountId, key } = await account();
    const maker = as(await seedKey(tables, accountId, { scopes: ['keys:write'] }));
    const tester = as(await seedKey(tables, accountId, { mode: 'test' }));
    const first = (await as(key)('GET', path)).json.data.find(({ name }: { name: string }) => name === 'first key');

    const answers = await Promise.all([
      maker('POST', `${path}/${first.id}/rotate`),
      tester('POST', `${path}/${first.id}/rotate`),
      tester('DELETE', `${path}/${first.id}`),
    ]);

    expect(answers.map(({ status }) => status)).toEqual([403, 403, 403]);
  });

  test('DELETE /keys/{id} answers 403 to a key without a scope of the revoked key, which still works, and 204 to a key that revokes itself', async () => {
    const { accountId, key } = await account();
    const maker = as(await seedKey(tables, accountId, { scopes: ['keys:write', 'keys:read'] }));
    const { data } = (await maker('GET', path)).json;
    const idOf = (wanted: string) => data.find(({ name }: { name: string }) => name === wanted).id;

    const refused = await maker('DELETE', `${path}/${idOf('first key')}`);
    const used = await as(key)('GET', path);
    const own = await maker('DELETE', `${path}/${idOf('key')}`);

    expect(refused).toMatchObject({ status: 403, json: { detail: expect.stringContaining('tasks:write') } });
    expect([used.status, own.status]).toEqual([200, 204]);
  });

  test('POST /keys with expires_at answers 201 with a key that works until then and gets 401 from then on', async () => {
    const call = as((await account()).key);
    const expires_at = new Date(nowMs + 60_000).toISOString();

    const { status, json } = await call('POST', path, { body: { ...newKey, expires_at } });
    const before = await as(json.key)('GET', path);
    nowMs += 60_000;
    const after = await as(json.key)('GET', path);

    expect([status, json.expires_at]).toEqual([201, expires_at]);
    expect(before.json.data[0].expires_at).toBe(expires_at);
    expect([before.status, after.status]).toEqual([200, 401]);
  });

  test.each([
    ['a time in the past', () => new Date(nowMs).toISOString()],
    ['a text that is no time', () => 'tomorrow'],
  ])('POST /keys answers 422 naming expires_at for %s', async (_, expiresAt) => {
    const call = as((await account()).key);

    const refused = await call('POST', path, { body: { ...newKey, expires_at: expiresAt() } });

    expect(refused).toMatchObject({ status: 422, json: { errors: [{ path: 'expires_at' }] } });
  });

  test('a key that expires creates keys that expire with it or earlier, and gets 403 for a later time, for no time and for a rotation', async () => {
    const first = as((await account()).key);
    const at = (ms: number) => new Date(nowMs + ms).toISOString();
    const scopes = ['keys:read', 'keys:write'];
    const made = await first('POST', path, { body: { name: 'brief', scopes, expires_at: at(60_000) } });
    const permanent = await first('POST', path, { body: { name: 'permanent', scopes } });
    const brief = as(made.json.key);
    const create = (body: object) => brief('POST', path, { body: { name: 'x', scopes, ...body } });

    const answers = [
      await create({ expires_at: at(60_000) }),
      await create({ expires_at: at(59_000) }),
      await create({ expires_at: at(60_001) }),
      await create({ expires_at: null }),
      await create({}),
      await brief('POST', `${path}/${permanent.json.id}/rotate`),
    ];

    expect(answers.map(({ status }) => status)).toEqual([201, 201, 403, 403, 403, 403]);
  });

  test('the key that replaces an expiring key by a rotation has the same expires_at, also when the old key rotates itself', async () => {
    const first = as((await account()).key);
    const expires_at = new Date(nowMs + 3_600_000).toISOString();
    const scopes = ['keys:read', 'keys:write'];
    const made = await first('POST', path, { body: { name: 'brief', scopes, expires_at } });
    const rotate = { body: { overlap_seconds: 60 } };

    const byOther = await first('POST', `${path}/${made.json.id}/rotate`, rotate);
    const byItself = await as(byOther.json.key)('POST', `${path}/${byOther.json.id}/rotate`, rotate);

    expect(byOther).toMatchObject({ status: 201, json: { expires_at } });
    expect(byItself).toMatchObject({ status: 201, json: { expires_at } });
  });

  test('a rotated key gets 403 in its overlap when it creates a key that does not expire', async () => {
    const { key } = await account();
    const old = (await as(key)('GET', path)).json.data[0];
    await as(key)('POST', `${path}/${old.id}/rotate`, { body: { overlap_seconds: 60 } });

    expect(await as(key)('POST', path, { body: newKey })).toMatchObject({ status: 403 });
    expect(await as(key)('POST', `${path}/${old.id}/rotate`)).toMatchObject({ status: 403 });
  });

  test('PP-2 POST /keys/{id}/rotate answers 201 with a new key; the old key works until the overlap of 60 s ends, then gets 401', async () => {
    const { key } = await account();
    const old = (await as(key)('GET', path)).json.data[0];

    const rotated = await as(key)('POST', `${path}/${old.id}/rotate`, { body: { overlap_seconds: 60 } });
    const during = await as(key)('GET', path);
    nowMs += 60_000;
    const after = await as(key)('GET', path);
    const fresh = await as(rotated.json.key)('GET', path);
    const again = await as(rotated.json.key)('POST', `${path}/${old.id}/rotate`);

    expect(rotated).toMatchObject({ status: 201, json: { name: old.name, scopes: accountScopes, mode: 'live' } });
    expect(rotated.json.id).not.toBe(old.id);
    expect(during.json.data[1].expires_at).toBe(new Date(nowMs).toISOString());
    expect([during.status, after.status, fresh.status, again.status]).toEqual([200, 401, 200, 409]);
  });

  test('PP-2 DELETE /keys/{id} answers 204 and removes the key from the list; the next call with the key gets 401, a second DELETE 404', async () => {
    const { accountId, key } = await account();
    const doomed = await seedKey(tables, accountId);
    const { data } = (await as(doomed)('GET', path)).json;
    const { id } = data.find(({ name }: { name: string }) => name === 'key');

    const revoked = await as(key)('DELETE', `${path}/${id}`);

    expect(revoked).toMatchObject({ status: 204, text: '' });
    expect((await as(doomed)('GET', path)).status).toBe(401);
    expect((await as(key)('DELETE', `${path}/${id}`)).status).toBe(404);
    expect((await as(key)('GET', path)).json.data).toHaveLength(1);
  });

  test('POST /keys and rotate repeat their first answer without the key for the same Idempotency-Key; POST answers 422 to another body', async () => {
    const { key } = await account();
    const headers = { 'idempotency-key': 'k-1' };
    const { id } = (await as(key)('GET', path)).json.data[0];
    const rotate = { body: { overlap_seconds: 600 }, headers };

    const first = await as(key)('POST', path, { body: newKey, headers });
    const again = await as(key)('POST', path, { body: newKey, headers });
    const other = await as(key)('POST', path, { body: { ...newKey, name: 'other' }, headers });
    const rotated = await as(key)('POST', `${path}/${id}/rotate`, rotate);
    const rotatedAgain = await as(key)('POST', `${path}/${id}/rotate`, rotate);

    const { key: secret, ...shown } = first.json;
    expect(secret).toBeDefined();
    expect(again).toMatchObject({ status: 201, headers: { 'idempotency-replayed': 'true' } });
    expect(again.json).toEqual(shown);
    expect(other.status).toBe(422);
    expect(rotatedAgain.json.id).toBe(rotated.json.id);
    expect(rotatedAgain.json.key).toBeUndefined();
    expect((await as(key)('GET', path)).json.data).toHaveLength(3);
  });

  test('an Idempotency-Key of POST /keys and of rotate counts within a mode: a live and a test key that use it get a new key each', async () => {
    const { accountId, key } = await account();
    const tester = await seedKey(tables, accountId, { mode: 'test' });
    const headers = { 'idempotency-key': 'k-1' };
    const body = { ...newKey, mode: 'test' };

    const created = [await as(key)('POST', path, { body, headers }), await as(tester)('POST', path, { body, headers })];
    const rotate = `${path}/${created[0]?.json.id}/rotate`;
    const rotated = [await as(key)('POST', rotate, { headers }), await as(tester)('POST', rotate, { headers })];

    for (const answers of [created, rotated]) {
      expect(answers.map(({ status }) => status)).toEqual([201, 201]);
      expect(answers.map(({ headers: { 'idempotency-replayed': replayed } }) => replayed)).toEqual([
        undefined,
        undefined,
      ]);
      expect(new Set(answers.map(({ json }) => json.key)).size).toBe(2);
    }
  });

  test('DELETE and rotate answer 404 for a key of another account, and the key still works', async () => {
    const [mine, other] = [await account(), await account()];
    const { id } = (await as(other.key)('GET', path)).json.data[0];

    expect((await as(mine.key)('DELETE', `${path}/${id}`)).status).toBe(404);
    expect((await as(mine.key)('POST', `${path}/${id}/rotate`)).status).toBe(404);
    expect((await as(other.key)('GET', path)).status).toBe(200);
  });

  test('GET lists seven keys in pages of 3, each exactly once', async () => {
    const { accountId, key } = await account();
    for (let i = 0; i < 6; i++) await seedKey(tables, accountId);
    const ids: string[] = [];

    for (let query: string | null = 'limit=3'; query !== null; ) {
      const { json } = await as(key)('GET', path, { query });
      ids.push(...json.data.map(({ id }: { id: string }) => id));
      query = json.next_cursor && `limit=3&cursor=${json.next_cursor}`;
    }

    expect(new Set(ids).size).toBe(7);
    expect(ids).toHaveLength(7);
  });
});
