import { beforeEach, describe, expect, it } from 'vitest';
import { drawId } from '../../lambdas/domain/foundation/id.ts';
import { jobTypes } from '../../lambdas/domain/jobs/job.ts';
import { aCaller, type Caller, rowsHolding, useApi } from '../helpers/api-caller.ts';
import { putWebhook } from '../helpers/events-api.ts';
import { fanOutRow } from '../helpers/fanned-out.ts';
import { putRouting } from '../helpers/routing-rows.ts';
import { useTables } from '../helpers/tables.ts';
import { aWebhook } from '../helpers/virtual-engine.ts';

const input = { shipper_accounts: ['fedex'] };
const partial = {
  meta: { code: 4713, message: 'All or partial failed in rate request.', details: [], retryable: false },
  data: { id: 'rate-1', status: 'calculated', rates: [{ service_type: null }] },
};

describe('the /jobs routes', () => {
  const tables = useTables();
  const api = useApi(tables, 'jobs-api');
  const eventsApi = useApi(tables, 'events-api');
  let me: Caller;
  beforeEach(async () => {
    me = await aCaller(tables);
  });

  const create = (body: object, call: { query?: string; headers?: Record<string, string> } = {}, caller = me) =>
    api('POST', '/jobs', caller, { body: { type: 'calculate_rates', input, ...body }, ...call });
  const complete = (id: string, body: unknown = partial, caller = me) =>
    api('POST', `/jobs/${id}/complete`, caller, { body });
  const get = async (id: string) => (await api('GET', `/jobs/${id}`, me)).json;
  const list = (query = '', caller = me) => api('GET', '/jobs', caller, { query });
  const rowOf = async (id: string) => (await rowsHolding(tables, tables.domainTable, id))[0];
  const listen = async (over: object = {}, type = 'calculate_rates') => {
    const webhook = await putWebhook(
      tables,
      aWebhook({ owner: me.owner, profile: 'postmen', events: [type], ...over }),
    );
    await putRouting(tables, me.owner, type, [`${webhook.id}|${webhook.resource ?? ''}`]);
    return webhook;
  };
  /** Waits until a pending job is listed and returns its id. */
  const firstPending = async (): Promise<string> => {
    for (;;) {
      const { json } = await list('status=pending');
      if (json.data[0]) return json.data[0].id;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };

  it('PM-1 POST /jobs with async answers 202, and POST /jobs/{id}/complete publishes the result once, as an event of the job type', async () => {
    const webhook = await listen();

    const { status, headers, json } = await create({ async: true });
    const pending = await fanOutRow(tables, await rowOf(json.id));
    const completed = await complete(json.id);
    const sent = await fanOutRow(tables, await rowOf(json.id));
    await fanOutRow(tables, await rowOf(json.id));

    expect(status).toBe(202);
    expect(headers.location).toBe(`/api/public/v1/jobs/${json.id}`);
    expect(json).toMatchObject({ status: 'pending', type: 'calculate_rates', input, meta: null, data: null });
    expect(completed).toMatchObject({ status: 200, json: { status: 'completed', ...partial } });
    expect(pending).toEqual([]);
    expect(sent.map(({ deliveryId }) => deliveryId.slice(30))).toEqual([webhook.id.slice(4)]);
    const events = (await eventsApi('GET', '/events', me)).json.data;
    expect(events).toEqual([expect.objectContaining({ type: 'calculate_rates', resource: null, ...partial })]);
  });

  it('PM-5 the event and the job show code, message, details, retryable and data of a partial failure unchanged', async () => {
    await listen();
    const { id } = (await create({ async: true })).json;
    await complete(id);
    await fanOutRow(tables, await rowOf(id));

    const [event] = (await eventsApi('GET', '/events', me)).json.data;

    expect(event.meta).toEqual(partial.meta);
    expect(event.data).toEqual(partial.data);
    expect(await get(id)).toMatchObject(partial);
  });

  it('PM reading 7: POST /jobs/{id}/complete sets the job to completed even when meta.retryable is true', async () => {
    await listen();
    const { id } = (await create({ async: true })).json;

    const { json } = await complete(id, { meta: { code: 4104, message: 'Busy.', retryable: true }, data: {} });

    expect(json).toMatchObject({ status: 'completed', meta: { code: 4104, details: [], retryable: true }, data: {} });
  });

  it('PM reading 6: POST /jobs answers 202 to async as the JSON boolean true or as true in the query, and rejects a JSON string and async=1', async () => {
    await listen();

    expect((await create({ async: true })).status).toBe(202);
    expect((await create({}, { query: 'async=true' })).status).toBe(202);
    expect((await create({ async: 'true' })).json.errors[0].path).toBe('async');
    expect((await create({}, { query: 'async=1' })).json.errors[0].path).toBe('async');
  });

  it('PM-1 PM-3 POST /jobs with async accepts each of the five job types when a webhook is subscribed to the type, and no other type', async () => {
    for (const type of jobTypes) {
      await listen({}, type);
      expect((await create({ type, async: true })).json).toMatchObject({ type, status: 'pending' });
    }
    expect((await create({ type: 'track_a_label', async: true })).json.errors[0].path).toBe('type');
  });

  it.each([
    ['missing', null],
    ['disabled', { enabled: false }],
    ['deleted', { deleted_at: '2026-11-16T09:30:00.000Z' }],
    ['of another profile', { profile: 'passpost' }],
    ['tied to a resource', { resource: 'parcel-1' }],
  ])(
    'PM-1 POST /jobs with async answers 422 and creates no job when the webhook for the job type is %s',
    async (_, over) => {
      if (over) await listen(over);

      const { status, json } = await create({ async: true });

      expect(status).toBe(422);
      expect(json.errors).toEqual([expect.objectContaining({ path: 'async', code: 'webhook_required' })]);
      expect((await list()).json.data).toEqual([]);
    },
  );

  it('POST /jobs without async waits for POST /jobs/{id}/complete, answers 200 with meta and data, and creates no delivery', async () => {
    await listen();

    const call = create({});
    const id = await firstPending();
    await complete(id);
    const { status, json } = await call;

    expect(status).toBe(200);
    expect(json).toEqual(partial);
    expect(await fanOutRow(tables, await rowOf(id))).toEqual([]);
    expect(await get(id)).toMatchObject({ id, status: 'completed', ...partial, progress: null });
  });

  it('POST /jobs/{id}/complete answers 200 to one of four simultaneous requests, and 409 to the other three and to a later request', async () => {
    await listen();
    const { id } = (await create({ async: true })).json;

    const answers = await Promise.all([1, 2, 3, 4].map((n) => complete(id, { ...partial, data: { n } })));
    const late = await complete(id, { ...partial, data: { n: 5 } });

    const winner = answers.find(({ status }) => status === 200);
    expect(answers.filter(({ status }) => status === 409)).toHaveLength(3);
    expect(late).toMatchObject({ status: 409, json: { errors: [{ path: 'status', code: 'completed' }] } });
    expect(await get(id)).toEqual(winner?.json);
  });

  it('POST /jobs/{id}/complete repeats its first answer for the same Idempotency-Key, and answers 422 to another result and 409 to another key', async () => {
    await listen();
    const { id } = (await create({ async: true })).json;
    const keyed = (body: unknown, key: string) =>
      api('POST', `/jobs/${id}/complete`, me, { body, headers: { 'idempotency-key': key } });

    const answers = await Promise.all([1, 2, 3].map(() => keyed(partial, 'done-1')));
    const other = await keyed({ ...partial, data: {} }, 'done-1');
    const otherKey = await keyed(partial, 'done-2');

    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(answers.filter(({ headers }) => headers['idempotency-replayed'] === 'true')).toHaveLength(2);
    expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
    expect(other).toMatchObject({ status: 422, json: { type: '/problems/idempotency_mismatch' } });
    expect(otherKey.status).toBe(409);
  });

  it('POST /jobs repeats its first 202 answer for the same Idempotency-Key after the job has completed, and answers 422 to another input', async () => {
    const webhook = await listen();
    const headers = { 'idempotency-key': 'k1' };
    const first = await create({ async: true }, { headers });
    await complete(first.json.id);
    await putWebhook(tables, { ...webhook, enabled: false });

    const again = await create({}, { headers, query: 'async=true' });
    const other = await create({ async: true, input: {} }, { headers });

    expect(again).toMatchObject({ status: 202, headers: { 'idempotency-replayed': 'true' }, json: first.json });
    expect(other).toMatchObject({ status: 422, json: { type: '/problems/idempotency_mismatch' } });
  });

  it("answers 409 to a second POST /jobs with the same Idempotency-Key while the first waits for the job's result, and repeats that result afterwards", async () => {
    const headers = { 'idempotency-key': 'k1' };
    const call = create({}, { headers });
    const id = await firstPending();

    const meanwhile = await create({}, { headers });
    await complete(id);
    await call;
    const after = await create({}, { headers });

    expect(meanwhile).toMatchObject({ status: 409, json: { type: '/problems/idempotency_in_progress' } });
    expect(after).toMatchObject({ status: 200, headers: { 'idempotency-replayed': 'true' }, json: partial });
  });

  it('GET /jobs lists jobs newest first in pages of 2, filters by status, and answers 422 to an unknown status', async () => {
    await listen();
    const ids: string[] = [];
    for (const key of ['', 'k1', '', '', 'k2']) {
      const headers: Record<string, string> = key ? { 'idempotency-key': key } : {};
      ids.unshift((await create({ async: true }, { headers })).json.id);
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    for (const id of [ids[1], ids[3]]) await complete(String(id));

    const listed: string[] = [];
    for (let cursor = ''; ; ) {
      const { json } = await list(`limit=2${cursor}`);
      listed.push(...json.data.map((job: { id: string }) => job.id));
      if (json.next_cursor === null) break;
      cursor = `&cursor=${json.next_cursor}`;
    }
    const of = async (status: string) => (await list(`status=${status}`)).json.data.map(({ id }: { id: string }) => id);

    expect(listed).toEqual(ids);
    expect(await of('completed')).toEqual([ids[1], ids[3]]);
    expect(await of('pending')).toEqual([ids[0], ids[2], ids[4]]);
    expect(await of('failed')).toEqual([]);
    expect((await list('status=done')).status).toBe(422);
  });

  it('GET /jobs ends the first page below 3 MB for 14 jobs with 200 kB of data each, and the second page has the rest', async () => {
    await listen();
    const data = { text: '語'.repeat(66_667) };
    for (let i = 0; i < 14; i++) {
      const { id } = (await create({ async: true })).json;
      await complete(id, { ...partial, data });
    }

    const first = await list('limit=100');
    const rest = await list(`limit=100&cursor=${first.json.next_cursor}`);

    expect(Buffer.byteLength(first.text)).toBeLessThan(3_000_000);
    expect(first.json.data.length + rest.json.data.length).toBe(14);
    expect(rest.json.next_cursor).toBeNull();
  });

  it('POST /jobs answers 422 to an input that is too large for a row, and POST /jobs/{id}/complete answers 422 to such data and to a list', async () => {
    await listen();
    const { id } = (await create({ async: true })).json;

    const longInput = await create({ input: { text: 'x'.repeat(131_072) } });
    // Each number is short in the request, but has twenty-one digits when stored.
    const numbers = Array.from({ length: 40_000 }, () => '1e20').join(',');
    const longResult = await complete(id, `{"meta":${JSON.stringify(partial.meta)},"data":{"numbers":[${numbers}]}}`);

    expect(longInput).toMatchObject({ status: 422, json: { errors: [{ path: 'input' }] } });
    expect(longResult).toMatchObject({ status: 422, json: { errors: [{ path: 'data' }] } });
    expect((await complete(id, { meta: partial.meta, data: [] })).status).toBe(422);
    expect((await complete(id, { data: {} })).json.errors[0].path).toBe('meta');
  });

  it('GET /jobs/{id} and POST /jobs/{id}/complete answer 404 for a job of another account or mode; unknown and malformed ids get 404 too', async () => {
    await listen();
    const { id } = (await create({ async: true })).json;
    const others = [await aCaller(tables), await aCaller(tables, { accountId: me.accountId, mode: 'test' })];

    for (const other of others) {
      expect((await api('GET', `/jobs/${id}`, other)).status).toBe(404);
      expect((await complete(id, partial, other)).status).toBe(404);
      expect((await list('', other)).json.data).toEqual([]);
      expect((await create({ async: true }, {}, other)).status).toBe(422);
    }
    expect((await complete(drawId('job', Date.now()))).status).toBe(404);
    expect((await api('GET', '/jobs/job_1', me)).status).toBe(404);
  });

  it('a key with only the scope jobs:read gets 403 from POST /jobs and POST /jobs/{id}/complete, and 200 from GET /jobs', async () => {
    const reader = await aCaller(tables, { accountId: me.accountId, scopes: ['jobs:read'] });

    expect((await create({}, {}, reader)).status).toBe(403);
    expect((await complete(drawId('job', 1), partial, reader)).status).toBe(403);
    expect((await list('', reader)).status).toBe(200);
  });
});
