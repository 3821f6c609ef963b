import { UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import { beforeEach, describe, expect, it } from 'vitest';
import { imageToChange } from '../../lambdas/adapters/fan-out/stream-record.ts';
import { jobKey } from '../../lambdas/adapters/rows/table-keys.ts';
import type { Json } from '../helpers/api-call.ts';
import { aCaller, type Caller, rowsHolding, useApi } from '../helpers/api-caller.ts';
import { planted, rowsWithPlanted } from '../helpers/erasure.ts';
import { putWebhook } from '../helpers/events-api.ts';
import { fanOutRow } from '../helpers/fanned-out.ts';
import { putRouting } from '../helpers/routing-rows.ts';
import { useTables } from '../helpers/tables.ts';
import { aWebhook } from '../helpers/virtual-engine.ts';

const job = { type: 'calculate_rates', input: { to: planted.input }, async: true };
const result = {
  meta: { code: 200, message: 'OK', details: [], retryable: false },
  data: { rates: [planted.result] },
};

describe('DELETE /jobs/{id}', () => {
  const tables = useTables();
  const api = useApi(tables, 'jobs-api');
  let me: Caller;
  beforeEach(async () => {
    me = await aCaller(tables);
    const webhook = await putWebhook(
      tables,
      aWebhook({ owner: me.owner, profile: 'postmen', events: ['calculate_rates'] }),
    );
    await putRouting(tables, me.owner, 'calculate_rates', [`${webhook.id}|`]);
  });

  const create = (body: object = job, idempotencyKey = 'one') =>
    api('POST', '/jobs', me, { body, headers: { 'idempotency-key': idempotencyKey } });
  const complete = (id: string) => api('POST', `/jobs/${id}/complete`, me, { body: result });
  const remove = (id: string, caller = me) => api('DELETE', `/jobs/${id}`, caller);
  const listed = async (query = '') =>
    (await api('GET', '/jobs', me, { query })).json.data.map(({ id }: Json) => id) as string[];
  const rowOf = async (id: string) => (await rowsHolding(tables, tables.domainTable, id))[0];

  it('answers 204 for a completed job, and again 204; GET and POST …/complete answer 404, no list has it, and no row holds its input or result', async () => {
    const { id } = (await create()).json;
    await complete(id);
    expect((await rowsWithPlanted(tables)).map(({ kind }) => kind)).toEqual(['job']);

    const answers = [await remove(id), await remove(id)];

    expect(answers.map(({ status, text }) => [status, text])).toEqual([
      [204, ''],
      [204, ''],
    ]);
    expect((await api('GET', `/jobs/${id}`, me)).status).toBe(404);
    expect((await complete(id)).status).toBe(404);
    expect([await listed(), await listed('status=completed')]).toEqual([[], []]);
    expect(await rowsWithPlanted(tables)).toEqual([]);
  });

  it('adds one audit entry job.deleted and gives the row of the job two days to live; the change of the row is no event', async () => {
    const { id } = (await create()).json;
    await complete(id);
    await remove(id);
    await remove(id);

    const row = await rowOf(id);
    const audit = (await rowsHolding(tables, tables.domainTable, me.accountId)).filter(({ kind }) => kind === 'audit');
    expect(audit.filter(({ target }) => target === id).map(({ action }) => action)).toEqual(['job.deleted']);
    expect(Number(row?.ttl) * 1000 - Date.now()).toBeGreaterThan(47 * 3_600_000);
    expect(Number(row?.ttl) * 1000 - Date.now()).toBeLessThan(49 * 3_600_000);
    expect(imageToChange(marshall(row ?? {}, { removeUndefinedValues: true }))).toBeNull();
  });

  it('GET /jobs leaves out a deleted job that the list index still has', async () => {
    const { id } = (await create()).json;
    await complete(id);
    const { list_pk, list_sk } = (await rowOf(id)) ?? {};
    await remove(id);
    await tables.client.send(
      new UpdateItemCommand({
        TableName: tables.domainTable,
        Key: marshall(jobKey(id)),
        UpdateExpression: 'SET list_pk = :pk, list_sk = :sk',
        ExpressionAttributeValues: marshall({ ':pk': list_pk, ':sk': list_sk }),
      }),
    );

    expect([await listed(), await listed('status=completed')]).toEqual([[], []]);
  });

  it('answers 409 not_finished for a pending job and leaves it pending', async () => {
    const { id } = (await create()).json;

    const { status, json } = await remove(id);

    expect([status, json.errors[0].code]).toEqual([409, 'not_finished']);
    expect((await api('GET', `/jobs/${id}`, me)).json.status).toBe('pending');
    await complete(id);
    expect((await remove(id)).status).toBe(204);
  });

  it('answers 409 awaited within five seconds after a job was completed whose caller waits, and the caller gets its result', async () => {
    const waiting = create({ type: job.type, input: job.input }, 'waits');
    let [id] = await listed();
    while (id === undefined) [id] = await listed();
    await complete(id);

    const { status, json } = await remove(id);

    expect([status, json.errors[0].code]).toEqual([409, 'awaited']);
    expect(await waiting).toMatchObject({ status: 200, json: result });
  });

  it('answers 409 to POST /jobs under the Idempotency-Key of the deleted job, which must not run again', async () => {
    const { id } = (await create()).json;
    await complete(id);
    await remove(id);

    const repeated = await create();

    expect(repeated).toMatchObject({ status: 409, json: { detail: expect.stringContaining('was deleted') } });
  });

  it('leaves the event that the result became, whose payload has a call of its own, and answers 404 to another account', async () => {
    const { id } = (await create()).json;
    await complete(id);
    await fanOutRow(tables, await rowOf(id));

    expect((await remove(id, await aCaller(tables))).status).toBe(404);
    expect((await remove(id)).status).toBe(204);

    const events = (await rowsHolding(tables, tables.domainTable, me.owner)).filter(({ kind }) => kind === 'event');
    expect(events.map(({ data, job_id }) => [data, job_id])).toEqual([[JSON.stringify(result.data), id]]);
  });
});
