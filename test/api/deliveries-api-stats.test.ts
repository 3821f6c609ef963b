import { DeleteItemCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import { beforeEach, describe, expect, it, test } from 'vitest';
import { executeStatements, insertStatement } from '../../lambdas/adapters/aws/statements.ts';
import { createRollUpStore } from '../../lambdas/adapters/maintenance/roll-up-store.ts';
import { newDeliveryRow } from '../../lambdas/adapters/rows/delivery-row.ts';
import { deliveryKey, rollUpProgressKey } from '../../lambdas/adapters/rows/table-keys.ts';
import type { StoredDelivery } from '../../lambdas/domain/deliveries/delivery.ts';
import { newDelivery } from '../../lambdas/domain/deliveries/delivery.ts';
import { drawId } from '../../lambdas/domain/foundation/id.ts';
import { rollUp } from '../../lambdas/domain/maintenance/roll-up.ts';
import type { StoredWebhook } from '../../lambdas/domain/webhooks/webhook.ts';
import { aCaller, type Caller, useApi } from '../helpers/api-caller.ts';
import { anAttempt, putDelivery, putWebhook } from '../helpers/events-api.ts';
import { useTables } from '../helpers/tables.ts';
import { anEvent, aWebhook } from '../helpers/virtual-engine.ts';

const HOUR = 3_600_000;
const THIS_HOUR = Math.floor(Date.now() / HOUR) * HOUR;
const iso = (ms: number): string => new Date(ms).toISOString();

describe('GET /webhooks/{id}/stats', () => {
  const tables = useTables();
  const api = useApi(tables, 'deliveries-api');
  let me: Caller;
  let webhook: StoredWebhook;
  beforeEach(async () => {
    me = await aCaller(tables);
    webhook = await putWebhook(tables, aWebhook({ owner: me.owner }));
  });

  const stats = (query = '', caller = me, id = webhook.id) => api('GET', `/webhooks/${id}/stats`, caller, { query });
  const deliver = (atMs: number, over: Partial<StoredDelivery>) =>
    putDelivery(
      tables,
      { owner: me.owner, webhookId: webhook.id, createdAtMs: atMs, eventId: drawId('evt', atMs) },
      over,
    );
  const delivered = (atMs: number, ms = 40): Promise<StoredDelivery> =>
    deliver(atMs, {
      status: 'delivered',
      ticket: 2,
      settled_at: atMs + ms,
      last: anAttempt({ duration_ms: ms, http_status: 200, error: null }),
    });
  const dead = (atMs: number) =>
    deliver(atMs, { status: 'dead', ticket: 7, settled_at: atMs + HOUR, attempts_refused: 6, refused_at: atMs + HOUR });
  /** Reads what is over by then, with a memory of how far it is that other tests do not share. */
  const roll = async (atMs: number, fromMs: number) => {
    const names = { domain: tables.domainTable, delivery: tables.deliveryTable };
    const store = createRollUpStore(tables.client, names, 30);
    await tables.client.send(
      new UpdateItemCommand({
        TableName: tables.deliveryTable,
        Key: marshall(rollUpProgressKey),
        UpdateExpression: 'SET progress = :progress ADD version :one',
        ExpressionAttributeValues: marshall({
          ':progress': JSON.stringify({ hourMs: fromMs, position: null, inHand: null }),
          ':one': 1,
        }),
      }),
    );
    const queue = { send: async () => {} };
    await rollUp(atMs, { store, queue, clock: Date.now, speed: 1, retentionHours: 720 }, () => false);
  };

  it('shows nothing of a webhook that had no deliveries', async () => {
    const { status, json } = await stats();

    expect(status).toBe(200);
    expect(json).toMatchObject({ hours: [], success_rate: null, last_success_at: null, last_failure_at: null });
    expect(Date.now() - Date.parse(json.as_of)).toBeLessThan(5000);
  });

  it('shows the hours that were counted and the one that runs', async () => {
    const earlier = THIS_HOUR - 3 * HOUR;
    await delivered(earlier, 40);
    await delivered(earlier + 1000, 40);
    await dead(earlier + 2000);
    await roll(THIS_HOUR, earlier);
    await delivered(THIS_HOUR, 7);

    const { json } = await stats();

    expect(json).toEqual({
      as_of: expect.any(String),
      hours: [
        {
          hour: iso(earlier),
          delivered: 2,
          refused: 6,
          dead: 1,
          p50_ms: expect.closeTo(40, -1),
          p95_ms: expect.any(Number),
        },
        { hour: iso(THIS_HOUR), delivered: 1, refused: 0, dead: 0, p50_ms: 7, p95_ms: 7 },
      ],
      success_rate: 0.75,
      last_success_at: iso(THIS_HOUR + 7),
      last_failure_at: iso(earlier + 2000 + HOUR),
    });
  });

  it('reads an hour that is not counted for good as it is now', async () => {
    const earlier = THIS_HOUR - 3 * HOUR;
    const { event_id } = await deliver(earlier, {
      status: 'failed',
      ticket: 2,
      attempts_refused: 1,
      refused_at: earlier,
    });
    await roll(THIS_HOUR, earlier);
    const counted = (await stats()).json.hours;

    const of = { owner: me.owner, webhookId: webhook.id, createdAtMs: earlier, eventId: event_id };
    await putDelivery(tables, of, { status: 'delivered', ticket: 3, settled_at: THIS_HOUR, attempts_refused: 1 });

    expect(counted).toMatchObject([{ delivered: 0, refused: 1 }]);
    expect((await stats()).json.hours).toMatchObject([{ delivered: 1, refused: 1 }]);
  });

  it('shows what was counted of an hour whose deliveries have expired since', async () => {
    const earlier = THIS_HOUR - 3 * HOUR;
    await deliver(earlier, { status: 'failed', ticket: 2, attempts_refused: 1 });
    const { id } = await delivered(earlier + 1);
    await roll(THIS_HOUR, earlier);

    await tables.client.send(
      new DeleteItemCommand({ TableName: tables.deliveryTable, Key: marshall(deliveryKey(id)) }),
    );

    expect((await stats()).json.hours).toMatchObject([{ delivered: 1, refused: 1 }]);
  });

  it('does not read on for ever, and says from when what it shows is', async () => {
    const earlier = THIS_HOUR - 2 * HOUR;
    await deliver(earlier, { status: 'failed', ticket: 2, attempts_refused: 1 });
    await roll(THIS_HOUR - HOUR + 20 * 60_000, earlier);
    // 250 of each shard are read; then it is enough.
    const rows = Array.from({ length: 1600 }, (_, n) => {
      const event = anEvent({ owner: me.owner }, THIS_HOUR + n);
      const done = { status: 'delivered' as const, ticket: 2, settled_at: THIS_HOUR + n + 40 };
      return newDeliveryRow({ ...newDelivery(event, webhook.id), ...done });
    });
    await executeStatements(
      tables.client,
      rows.map((row) => insertStatement(tables.deliveryTable, row)),
    );

    const { json } = await stats();

    // The hour that runs has too many; then nothing is left for those before, one of which nobody has read.
    expect(json.hours).toMatchObject([{ hour: iso(earlier), refused: 1 }]);
    expect(json.as_of).toBe(iso(THIS_HOUR - HOUR));
    expect(json.last_success_at).toBe(iso(THIS_HOUR + 1599 + 40));
  });

  it('keeps to the hours of the range', async () => {
    const first = THIS_HOUR - 6 * HOUR;
    for (const hour of [0, 1, 2, 3]) await delivered(first + hour * HOUR);
    await roll(THIS_HOUR, first);

    const { json } = await stats(`since=${iso(first + HOUR + 5)}&until=${iso(first + 3 * HOUR)}`);

    expect(json.hours.map(({ hour }: { hour: string }) => hour)).toEqual([iso(first + HOUR), iso(first + 2 * HOUR)]);
  });

  test.each([
    ['until', 'since=2026-11-02T00:00:00Z&until=2026-11-01T00:00:00Z'],
    ['since', 'since=2026-10-01T00:00:00Z&until=2026-11-02T00:00:00Z'],
    ['until', 'since=0000-01-01T00:00:00Z&until=0000-01-02T00:00:00Z'],
    ['since', 'since=yesterday'],
    ['hours', 'hours=5'],
  ])('names a wrong %s', async (path, query) => {
    const { status, json } = await stats(query);

    expect(status).toBe(422);
    expect(json.errors.map((error: { path: string }) => error.path)).toEqual([path]);
  });

  it('takes 31 days', async () => {
    expect((await stats('since=2026-10-01T00:00:00Z&until=2026-11-01T00:00:00Z')).status).toBe(200);
  });

  it('knows nothing of webhooks of others, of another mode or that are gone', async () => {
    const gone = await putWebhook(tables, aWebhook({ owner: me.owner, deleted_at: iso(0) }));
    const test = await aCaller(tables, { accountId: me.accountId, mode: 'test' });
    const writer = await aCaller(tables, { accountId: me.accountId, scopes: ['webhooks:write'] });

    expect((await stats('', await aCaller(tables))).status).toBe(404);
    expect((await stats('', test)).status).toBe(404);
    expect((await stats('', me, gone.id)).status).toBe(404);
    expect((await stats('', me, 'whk_1')).status).toBe(404);
    expect((await stats('', writer)).status).toBe(403);
  });
});
