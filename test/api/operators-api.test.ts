import { beforeEach, describe, expect, it } from 'vitest';
import type { Json } from '../helpers/api-call.ts';
import { aCaller, type Caller, useApi } from '../helpers/api-caller.ts';
import { seedOperator } from '../helpers/seeded-keys.ts';
import { useTables } from '../helpers/tables.ts';

const withKey = (key: string): Caller => ({ accountId: '', owner: '', key });

describe('the operators of a deployment', () => {
  const tables = useTables();
  const accounts = useApi(tables, 'accounts-api');
  const audit = useApi(tables, 'audit-api');
  let first: Caller;
  beforeEach(async () => {
    first = withKey(await seedOperator(tables));
  });

  const call = (method: string, path: string, body?: unknown, caller = first, headers = {}) =>
    accounts(method, `/operators${path}`, caller, { ...(body === undefined ? {} : { body }), headers });
  const create = async (name: string): Promise<Json> => (await call('POST', '', { name })).json;
  const canRead = async (key: string): Promise<boolean> =>
    (await accounts('GET', '/accounts', withKey(key))).status === 200;

  it('POST /operators answers 201 with a key that has the scope admin and is shown once, and GET lists the operator without the key', async () => {
    const { status, json } = await call('POST', '', { name: 'night shift' });

    const { json: listed, text } = await call('GET', '');
    expect(status).toBe(201);
    expect(json).toMatchObject({
      id: expect.stringMatching(/^opr_/),
      name: 'night shift',
      prefix: json.key.slice(0, 12),
    });
    expect(await canRead(json.key)).toBe(true);
    expect(listed.data.map(({ name }: Json) => name)).toEqual(expect.arrayContaining(['operator', 'night shift']));
    expect(text).not.toContain(json.key);
  });

  it('a repeat of POST /operators with the same Idempotency-Key creates no second operator and does not show the key', async () => {
    const key = { 'idempotency-key': 'operator-1' };
    const created = await call('POST', '', { name: 'once' }, first, key);

    const repeated = await call('POST', '', { name: 'once' }, first, key);

    expect([repeated.status, repeated.headers['idempotency-replayed']]).toEqual([201, 'true']);
    expect(repeated.json).toEqual({ ...created.json, key: undefined });
    const { data } = (await call('GET', '')).json;
    expect(data.filter(({ name }: Json) => name === 'once')).toHaveLength(1);
  });

  it('a rotation gives the operator a new key under the same id; the former key is valid within the overlap and refused after it', async () => {
    const { id, key } = await create('rotated');

    const kept = (await call('POST', `/${id}/rotate`, { overlap_seconds: 3600 })).json;
    const validWithin = await canRead(key);
    const leaked = (await call('POST', `/${id}/rotate`, { overlap_seconds: 0 })).json;

    expect([kept.id, leaked.id, validWithin]).toEqual([id, id, true]);
    expect([await canRead(kept.key), await canRead(leaked.key)]).toEqual([false, true]);
  });

  it('DELETE /operators/{id} answers 204, and the key of the operator and its former key are refused from then on', async () => {
    const { id, key } = await create('leaving');
    const rotated = (await call('POST', `/${id}/rotate`, { overlap_seconds: 3600 })).json;

    const removed = await call('DELETE', `/${id}`);

    expect(removed.status).toBe(204);
    expect([await canRead(key), await canRead(rotated.key)]).toEqual([false, false]);
    expect((await call('DELETE', `/${id}`)).status).toBe(404);
    expect((await call('POST', `/${id}/rotate`)).status).toBe(404);
  });

  it('every call on operators answers 403 to the key of an account', async () => {
    const account = await aCaller(tables);

    const statuses = await Promise.all(
      [
        ['POST', '', { name: 'x' }],
        ['GET', ''],
        ['POST', '/opr_01KA8Z3M9Q4T7V2X5B8D1F6H0J/rotate'],
        ['DELETE', '/opr_01KA8Z3M9Q4T7V2X5B8D1F6H0J'],
      ].map(([method, path, body]) => call(String(method), String(path), body, account)),
    );

    expect(statuses.map(({ status }) => status)).toEqual([403, 403, 403, 403]);
  });

  describe('and the audit', () => {
    it('GET /audit?account= shows an operator the audit of any account, with the operator by name; a deleted account too', async () => {
      const { id: operatorId, key } = await create('auditor');
      const auditor = withKey(key);
      const { id } = (await accounts('POST', '/accounts', auditor, { body: { name: 'Short' } })).json;
      await accounts('DELETE', `/accounts/${id}`, auditor);

      const { status, json } = await audit('GET', '/audit', auditor, { query: `account=${id}` });

      expect(status).toBe(200);
      // The key is revoked and the account deleted in the same millisecond, so their order is open.
      const actions = json.data.map(({ action }: Json) => action).toSorted();
      expect(actions).toEqual(['account.created', 'account.deleted', 'key.revoked']);
      expect(json.data[0].actor).toEqual({ type: 'operator', id: operatorId, name: 'auditor' });
    });

    it('GET /audit without an account shows an operator the changes of operators', async () => {
      const { id } = await create('seen');

      const { json } = await audit('GET', '/audit', first);

      expect(json.data[0]).toMatchObject({ action: 'operator.created', target: id });
    });

    it('GET /audit answers 422 to an account that names another account, and 200 to one that names its own', async () => {
      const [own, other] = [await aCaller(tables), await aCaller(tables)];

      const refused = await audit('GET', '/audit', own, { query: `account=${other.accountId}` });
      const allowed = await audit('GET', '/audit', own, { query: `account=${own.accountId}` });

      expect([refused.status, refused.json.errors[0].path, allowed.status]).toEqual([422, 'account', 200]);
    });
  });
});
