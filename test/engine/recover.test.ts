import { PutItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import { beforeEach, describe, expect, it } from 'vitest';
import { imageToChange } from '../../lambdas/adapters/fan-out/stream-record.ts';
import { createJobsTable } from '../../lambdas/adapters/jobs/jobs-table.ts';
import type { StoredWebhook } from '../../lambdas/domain/webhooks/webhook.ts';
import { aCaller, type Caller, rowsHolding, useApi } from '../helpers/api-caller.ts';
import { useTables } from '../helpers/tables.ts';
import { type Answering, anEvent, aWebhook, createVirtualEngine } from '../helpers/virtual-engine.ts';

const HOUR = 3_600_000;

describe('POST /webhooks/{id}/recover', () => {
  const tables = useTables();
  const api = useApi(tables, 'deliveries-api');
  const jobsApi = useApi(tables, 'jobs-api');
  let me: Caller;
  beforeEach(async () => {
    me = await aCaller(tables);
  });

  /** An engine for the caller's account that starts 48 hours ago, so that a recovery can use its window. */
  const start = async (answer: Answering, webhook: StoredWebhook = aWebhook({ schedule: [60] })) => {
    const startMs = Date.now() - 48 * HOUR;
    const engine = createVirtualEngine(tables, answer, { startMs, owner: me.owner });
    await engine.addWebhooks(webhook);
    const seen = new Set<unknown>();
    /** Runs the submitted commands that have not run yet. Returns their number. */
    const runCommands = async (): Promise<number> => {
      for (let steps = 0; ; steps++) {
        const rows = await rowsHolding(tables, tables.domainTable, me.owner);
        const command = rows.find(({ kind, sk }) => kind === 'command' && !seen.has(sk));
        if (!command) return steps;
        seen.add(command.sk);
        const change = imageToChange(marshall(command));
        if (change) await engine.fanOut([change]);
      }
    };
    return { engine, webhook, runCommands, startMs };
  };
  const window = (startMs: number) => ({
    since: new Date(startMs).toISOString(),
    until: new Date(startMs + HOUR).toISOString(),
  });
  const recover = (id: string, body: unknown, headers = {}) =>
    api('POST', `/webhooks/${id}/recover`, me, { body, headers });
  const statuses = async (engine: ReturnType<typeof createVirtualEngine>) =>
    (await rowsHolding(tables, tables.deliveryTable, 'W#'))
      .filter(({ owner, kind }) => owner === engine.owner && kind === 'delivery')
      .map(({ status }) => status);

  it('for 450 dead deliveries, answers 202 with a running job; the job ends with recovered 450, and all 450 are delivered', async () => {
    let isUp = false;
    const { engine, webhook, runCommands, startMs } = await start(() => ({ status: isUp ? 200 : 500 }));
    const events = Array.from({ length: 450 }, (_, index) => anEvent({}, startMs + index));
    await engine.publish(...events);
    await engine.publish(anEvent({}, startMs - 1));
    await engine.passUntil(startMs + 10 * 60_000);
    expect((await recover(webhook.id, { ...window(startMs), dry_run: true })).json).toEqual({ count: 450 });

    const { status, json: job, headers } = await recover(webhook.id, window(startMs));
    isUp = true;
    const steps = await runCommands();
    await engine.passUntil(startMs + 20 * 60_000);

    expect(status).toBe(202);
    expect(job).toMatchObject({ type: 'recover', status: 'running', progress: { done: 0, total: 450 } });
    expect(headers.location).toBe(`/api/public/v1/jobs/${job.id}`);
    expect(steps).toBeGreaterThan(1);
    expect((await jobsApi('GET', `/jobs/${job.id}`, me)).json).toMatchObject({
      status: 'completed',
      progress: { done: 450, total: 450 },
      data: { recovered: 450 },
    });
    expect((await statuses(engine)).filter((each) => each === 'delivered')).toHaveLength(450);
  }, 30_000);

  it('with status pending, redelivers 2 overdue deliveries whose messages were lost: the job total is 2, both are delivered', async () => {
    const { engine, webhook, runCommands, startMs } = await start(() => ({ status: 200 }));
    await engine.publish(anEvent({}, startMs), anEvent({}, startMs + 1));
    engine.purge();

    const { json: job } = await recover(webhook.id, { ...window(startMs), status: ['pending'] });
    await engine.passUntil(startMs + 60_000);
    await runCommands();
    await engine.passUntil(startMs + 120_000);

    expect(job.progress.total).toBe(2);
    expect(await statuses(engine)).toEqual(['delivered', 'delivered']);
  });

  it('redelivers a dead delivery with one retry only once (4 POSTs in all) although the recover command runs three times', async () => {
    const { engine, webhook, startMs } = await start(() => ({ status: 500 }));
    await engine.publish(anEvent({}, startMs));
    await engine.passUntil(startMs + 10 * 60_000);
    await recover(webhook.id, window(startMs));
    const rows = await rowsHolding(tables, tables.domainTable, me.owner);
    const change = imageToChange(marshall(rows.find(({ kind }) => kind === 'command') ?? {}));

    for (let run = 0; run < 3 && change; run++) {
      await engine.fanOut([change]);
      await engine.passUntil(engine.now() + 10 * 60_000);
    }

    expect(engine.posts).toHaveLength(4);
  });

  it('creates a job for which POST /jobs/{id}/complete answers 409', async () => {
    const { webhook, startMs } = await start(() => ({ status: 200 }));
    const { json } = await recover(webhook.id, window(startMs));
    const result = { meta: { code: 200, message: 'OK' }, data: {} };

    const { status } = await jobsApi('POST', `/jobs/${json.id}/complete`, me, { body: result });

    expect(status).toBe(409);
    const job = await createJobsTable(tables.client, tables.domainTable, 30).get(me.owner, json.id, {
      isLatest: true,
      nowMs: Date.now(),
    });
    expect(job?.completed_at).toBeNull();
  });

  it('answers a repeat with the same Idempotency-Key 202, the body of the first answer and Idempotency-Replayed: true', async () => {
    const { webhook, startMs } = await start(() => ({ status: 200 }));
    const key = { 'idempotency-key': 'once' };

    const first = await recover(webhook.id, window(startMs), key);
    const repeat = await recover(webhook.id, window(startMs), key);

    expect([repeat.status, repeat.json, repeat.headers['idempotency-replayed']]).toEqual([202, first.json, 'true']);
  });

  it.each([
    ['since is missing', 'since', { until: '2026-11-16T00:00:00Z' }],
    ['until is missing', 'until', { since: '2026-11-16T00:00:00Z' }],
    ['until is before since', 'until', { since: '2026-11-16T00:00:00Z', until: '2026-11-15T00:00:00Z' }],
    [
      'status lists the value held',
      'status.0',
      { since: '2026-11-15T00:00:00Z', until: '2026-11-16T00:00:00Z', status: ['held'] },
    ],
    [
      'the body has an unknown field',
      'colour',
      { since: '2026-11-15T00:00:00Z', until: '2026-11-16T00:00:00Z', colour: 'red' },
    ],
  ])('answers 422 if %s, with %s as the path of the first error', async (_mistake, path, body) => {
    const { webhook } = await start(() => ({ status: 200 }));

    const { status, json } = await recover(webhook.id, body);

    expect([status, json.errors[0].path]).toEqual([422, path]);
  });

  it('answers 404 if the webhook belongs to another account', async () => {
    const foreign = aWebhook({ owner: 'acc_01JDB6Q80000000000000000AA#live' });
    const Item = marshall({ ...foreign, pk: `A#${foreign.owner}`, sk: foreign.id }, { removeUndefinedValues: true });
    await tables.client.send(new PutItemCommand({ TableName: tables.domainTable, Item }));

    expect((await recover(foreign.id, window(Date.now()))).status).toBe(404);
  });
});
