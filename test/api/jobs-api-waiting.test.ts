import { beforeEach, describe, expect, it } from 'vitest';
import type { ApiAnswer } from '../helpers/api-call.ts';
import { aCaller, type Caller, rowsHolding, useApi } from '../helpers/api-caller.ts';
import { putWebhook } from '../helpers/events-api.ts';
import { putRouting } from '../helpers/routing-rows.ts';
import { useTables } from '../helpers/tables.ts';
import { aWebhook } from '../helpers/virtual-engine.ts';

const job = { type: 'calculate_rates', input: {} };
const result = { meta: { code: 200, message: 'OK', details: [], retryable: false }, data: { rates: [] } };

describe('POST /jobs without async, while other calls of the account wait,', () => {
  const tables = useTables();
  const api = useApi(tables, 'jobs-api');
  let me: Caller;
  let tester: Caller;
  beforeEach(async () => {
    me = await aCaller(tables);
    tester = await aCaller(tables, { accountId: me.accountId, mode: 'test' });
  });

  const create = (caller = me, headers: Record<string, string> = {}) =>
    api('POST', '/jobs', caller, { body: job, headers });
  const pendingOf = async (caller: Caller): Promise<string[]> => {
    const { json } = await api('GET', '/jobs', caller, { query: 'status=pending&limit=100' });
    return json.data.map(({ id }: { id: string }) => id);
  };
  /** Starts calls and returns them when their jobs are stored. */
  const startWaiting = async (callers: readonly Caller[]): Promise<Promise<ApiAnswer>[]> => {
    const calls = callers.map((caller) => create(caller));
    const stored = async () => (await pendingOf(me)).length + (await pendingOf(tester)).length;
    while ((await stored()) < callers.length) await new Promise((resolve) => setTimeout(resolve, 20));
    return calls;
  };
  const completeAll = async () => {
    for (const caller of [me, tester]) {
      for (const id of await pendingOf(caller)) await api('POST', `/jobs/${id}/complete`, caller, { body: result });
    }
  };
  const statusesOf = async (calls: readonly Promise<ApiAnswer>[]) =>
    (await Promise.all(calls)).map(({ status }) => status);

  it('answers 202 immediately to the sixth call of live and test keys together; its result is read with GET, and the five get 200', async () => {
    const waiting = await startWaiting([me, tester, me, tester, me]);

    const begin = Date.now();
    const sixth = await create();
    const seconds = (Date.now() - begin) / 1000;
    await completeAll();

    expect(seconds).toBeLessThan(3);
    expect(sixth).toMatchObject({ status: 202, json: { status: 'pending', meta: null, data: null } });
    expect(await statusesOf(waiting)).toEqual([200, 200, 200, 200, 200]);
    expect((await api('GET', `/jobs/${sixth.json.id}`, me)).json).toMatchObject({ status: 'completed', ...result });
  });

  it('lets exactly five of twelve simultaneous calls wait, and five others afterwards', async () => {
    for (let round = 0; round < 2; round++) {
      const waiting = await startWaiting(Array.from({ length: 12 }, () => me));
      let settled = 0;
      for (const call of waiting) void call.then(() => (settled += 1));
      while (settled < 7) await new Promise((resolve) => setTimeout(resolve, 20));
      await completeAll();

      const statuses = await statusesOf(waiting);
      expect(statuses.filter((status) => status === 202)).toHaveLength(7);
      expect(statuses.filter((status) => status === 200)).toHaveLength(5);
    }
  });

  it('lets a call of another account wait', async () => {
    const waiting = await startWaiting([me, me, me, me, me]);
    const other = await aCaller(tables);
    const call = create(other);
    while ((await pendingOf(other)).length === 0) await new Promise((resolve) => setTimeout(resolve, 20));

    for (const id of await pendingOf(other)) await api('POST', `/jobs/${id}/complete`, other, { body: result });
    await completeAll();

    expect(await statusesOf([call, ...waiting])).toEqual([200, 200, 200, 200, 200, 200]);
  });

  it('repeats the immediate 202 for the same Idempotency-Key while the job is pending and after it is completed', async () => {
    const waiting = await startWaiting([me, me, me, me, me]);
    const headers = { 'idempotency-key': 'k1' };

    const first = await create(me, headers);
    const during = await create(me, headers);
    await completeAll();
    const after = await create(me, headers);
    await Promise.all(waiting);

    for (const again of [during, after]) {
      expect(again).toMatchObject({ status: 202, headers: { 'idempotency-replayed': 'true' } });
      expect(again.json).toEqual(first.json);
    }
  });

  it('does not change what async does: the sixth call, with async, answers 202 and its result goes to webhooks', async () => {
    const webhook = aWebhook({ owner: me.owner, profile: 'postmen', events: [job.type] });
    await putWebhook(tables, webhook);
    await putRouting(tables, me.owner, job.type, [`${webhook.id}|`]);
    const waiting = await startWaiting([me, me, me, me, me]);

    const { status, json } = await api('POST', '/jobs', me, { body: { ...job, async: true } });
    const [row] = await rowsHolding(tables, tables.domainTable, json.id);
    await completeAll();
    await Promise.all(waiting);

    expect([status, row?.result_to, row?.answered_at_once]).toEqual([202, 'webhooks', undefined]);
  });
});
