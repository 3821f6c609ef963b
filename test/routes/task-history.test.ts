import { describe, expect, it } from 'vitest';
import { createKeyAuthenticator } from '../../lambdas/adapters/accounts/authenticate-key.ts';
import { aCaller, type Caller, useApi } from '../helpers/api-caller.ts';
import { useTables } from '../helpers/tables.ts';

const place = { city: 'Oslo', address: 'A 1' };
const task = { item: 'Keys', pickup: place, dropoff: place };
const input = { shipper_accounts: ['fedex'] };
const result = { meta: { code: 200, message: 'OK', details: [], retryable: false }, data: { rates: [] } };

describe('the API keys that changed a task or a job', () => {
  const tables = useTables();
  const tasks = useApi(tables, 'tasks-api');
  const jobs = useApi(tables, 'jobs-api');

  const keyIdOf = async ({ key }: Caller): Promise<string> => {
    const { authenticate } = createKeyAuthenticator(tables.client, tables.credentialsTable);
    const check = await authenticate(key, Date.now());
    return check.outcome === 'passed' ? check.caller.keyId : '';
  };
  /** Returns two keys of one account. */
  const twoKeys = async (): Promise<[Caller, Caller]> => {
    const first = await aCaller(tables);
    return [first, await aCaller(tables, { accountId: first.accountId })];
  };

  it('GET /tasks/{id}?include=history names the key and the time of the creation and of each move, also after a repeat with another key', async () => {
    const [desk, courier] = await twoKeys();
    const { id } = (await tasks('POST', '/tasks', desk, { body: task })).json;
    const accepted = { body: {}, headers: { 'idempotency-key': 'accept' } };
    await tasks('POST', `/tasks/${id}/accept`, courier, accepted);
    await tasks('POST', `/tasks/${id}/accept`, desk, accepted);
    await tasks('POST', `/tasks/${id}/pick-up`, courier);
    await tasks('POST', `/tasks/${id}/cancel`, desk, { body: { reason: 'late' } });

    const { status, json } = await tasks('GET', `/tasks/${id}`, desk, { query: 'include=history' });

    expect(status).toBe(200);
    expect(json.history).toEqual([
      { status: 'created', at: json.created_at, key_id: await keyIdOf(desk) },
      { status: 'accepted', at: json.accepted_at, key_id: await keyIdOf(courier) },
      { status: 'picked_up', at: json.picked_up_at, key_id: await keyIdOf(courier) },
      { status: 'cancelled', at: json.cancelled_at, key_id: await keyIdOf(desk) },
    ]);
  });

  it('GET /tasks/{id} has no history without include=history, and answers 422 at include to another value', async () => {
    const [desk] = await twoKeys();
    const { id } = (await tasks('POST', '/tasks', desk, { body: task })).json;

    const plain = await tasks('GET', `/tasks/${id}`, desk);
    const unknown = await tasks('GET', `/tasks/${id}`, desk, { query: 'include=moves' });

    expect(plain.json).not.toHaveProperty('history');
    expect(unknown).toMatchObject({ status: 422, json: { errors: [{ path: 'include' }] } });
  });

  it('GET /tasks/{id}?include=history still names the keys after the erasure of the personal data', async () => {
    const [desk, courier] = await twoKeys();
    const { id } = (await tasks('POST', '/tasks', desk, { body: task })).json;
    await tasks('POST', `/tasks/${id}/cancel`, courier);
    const before = (await tasks('GET', `/tasks/${id}`, desk, { query: 'include=history' })).json.history;
    await tasks('DELETE', `/tasks/${id}/personal-data`, desk);

    const { json } = await tasks('GET', `/tasks/${id}`, desk, { query: 'include=history' });

    expect(json.personal_data_erased_at).not.toBeNull();
    expect(json.history).toEqual(before);
    expect(before.map(({ key_id }: { key_id: string }) => key_id)).toEqual([
      await keyIdOf(desk),
      await keyIdOf(courier),
    ]);
  });

  it('GET /jobs/{id} names the key that completed the job, and null before', async () => {
    const [client, worker] = await twoKeys();
    const waiting = jobs('POST', '/jobs', client, { body: { type: 'calculate_rates', input } });
    let id = '';
    while (id === '') id = (await jobs('GET', '/jobs', worker, { query: 'status=pending' })).json.data[0]?.id ?? '';
    const before = (await jobs('GET', `/jobs/${id}`, client)).json;

    const completed = (await jobs('POST', `/jobs/${id}/complete`, worker, { body: result })).json;

    expect((await waiting).status).toBe(200);
    expect(before.completed_by).toBeNull();
    expect(completed.completed_by).toBe(await keyIdOf(worker));
    expect((await jobs('GET', `/jobs/${id}`, client)).json).toEqual(completed);
  });
});
