import { DeleteItemCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import { describe, expect, it, test } from 'vitest';
import { executeStatements, insertStatement } from '../../lambdas/adapters/aws/statements.ts';
import { createRollUpStore } from '../../lambdas/adapters/maintenance/roll-up-store.ts';
import { newDeliveryRow } from '../../lambdas/adapters/rows/delivery-row.ts';
import { deliveryKey, rollUpProgressKey } from '../../lambdas/adapters/rows/table-keys.ts';
import type { StoredDelivery } from '../../lambdas/domain/deliveries/delivery.ts';
import { newDelivery } from '../../lambdas/domain/deliveries/delivery.ts';
import { rollUp } from '../../lambdas/domain/maintenance/roll-up.ts';
import { aCaller } from '../helpers/api-caller.ts';
import { useDeliveriesApi } from '../helpers/deliveries-api.ts';
import { anAttempt } from '../helpers/events-api.ts';
import { useTables } from '../helpers/tables.ts';
import { anEvent } from '../helpers/virtual-engine.ts';

const HOUR = 3_600_000;
const THIS_HOUR = Math.floor(Date.now() / HOUR) * HOUR;
const iso = (ms: number): string => new Date(ms).toISOString();

describe('GET /webhooks/{id}/stats', () => {
  const tables = useTables();
  const { api, current, addWebhook, addDelivery } = useDeliveriesApi(tables);

  const stats = (query = '', sentBy = current.caller, id = current.webhook.id) =>
    api('GET', `/webhooks/${id}/stats`, sentBy, { query });
  const addDelivered = (atMs: number, durationMs = 40): Promise<StoredDelivery> =>
    addDelivery(atMs, {
      status: 'delivered',
      ticket: 2,
      settled_at: atMs + durationMs,
      last: anAttempt({ duration_ms: durationMs, http_status: 200, error: null }),
    });
  const addDead = (atMs: number) => {
    const refusals = { attempts_refused: 6, refused_at: atMs + HOUR };
    return addDelivery(atMs, { status: 'dead', ticket: 7, settled_at: atMs + HOUR, ...refusals });
  };
  /** Runs the roll-up at `atMs`. It starts at the hour `fromMs`, whatever earlier tests have rolled up. */
  const runRollUp = async (atMs: number, fromMs: number) => {
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

  it('for a webhook without deliveries, answers 200 with no hours, no success rate and a current as_of', async () => {
    const { status, json } = await stats();

    expect(status).toBe(200);
    expect(json).toMatchObject({ hours: [], success_rate: null, last_success_at: null, last_failure_at: null });
    expect(Date.now() - Date.parse(json.as_of)).toBeLessThan(5000);
  });

  it('counts no test delivery, neither in a counted hour nor in the current hour', async () => {
    const earlier = THIS_HOUR - 5 * HOUR;
    const test = { test: true, ticket: 2, last: anAttempt({ duration_ms: 40 }) } as const;
    for (const atMs of [earlier, THIS_HOUR]) {
      await addDelivery(atMs, { ...test, status: 'delivered', settled_at: atMs });
      await addDelivery(atMs, { ...test, status: 'dead', settled_at: atMs, attempts_refused: 6, refused_at: atMs });
    }
    await runRollUp(THIS_HOUR, earlier);

    const { json } = await stats();

    expect(json).toMatchObject({ success_rate: null, last_success_at: null, last_failure_at: null });
    const none = { delivered: 0, dead: 0, refused: 0, p50_ms: null, p95_ms: null };
    expect(json.hours).toEqual([earlier, THIS_HOUR].map((atMs) => ({ hour: iso(atMs), ...none })));
  });

  it('shows the counts and response times of an hour that the roll-up has counted and of the current hour, and one success rate for both', async () => {
    const earlier = THIS_HOUR - 3 * HOUR;
    await addDelivered(earlier, 40);
    await addDelivered(earlier + 1000, 40);
    await addDead(earlier + 2000);
    await runRollUp(THIS_HOUR, earlier);
    await addDelivered(THIS_HOUR, 7);

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

  it('shows one delivered delivery for an hour that the roll-up counted with none, because the delivery finished afterwards', async () => {
    const earlier = THIS_HOUR - 3 * HOUR;
    const { event_id } = await addDelivery(earlier, {
      status: 'failed',
      ticket: 2,
      attempts_refused: 1,
      refused_at: earlier,
    });
    await runRollUp(THIS_HOUR, earlier);
    const countedHours = (await stats()).json.hours;

    const delivered = { status: 'delivered', ticket: 3, settled_at: THIS_HOUR, attempts_refused: 1 } as const;
    await addDelivery(earlier, delivered, event_id);

    expect(countedHours).toMatchObject([{ delivered: 0, refused: 1 }]);
    expect((await stats()).json.hours).toMatchObject([{ delivered: 1, refused: 1 }]);
  });

  it('still counts a delivered delivery whose row is deleted after the roll-up, in an hour that also has an unfinished delivery', async () => {
    const earlier = THIS_HOUR - 3 * HOUR;
    await addDelivery(earlier, { status: 'failed', ticket: 2, attempts_refused: 1 });
    const { id } = await addDelivered(earlier + 1);
    await runRollUp(THIS_HOUR, earlier);

    await tables.client.send(
      new DeleteItemCommand({ TableName: tables.deliveryTable, Key: marshall(deliveryKey(id)) }),
    );

    expect((await stats()).json.hours).toMatchObject([{ delivered: 1, refused: 1 }]);
  });

  it('with 1,600 deliveries in the current hour, shows only the hour that the roll-up counted, and as_of at the start of the previous hour', async () => {
    const earlier = THIS_HOUR - 2 * HOUR;
    await addDelivery(earlier, { status: 'failed', ticket: 2, attempts_refused: 1 });
    await runRollUp(THIS_HOUR - HOUR + 20 * 60_000, earlier);
    // More than one call counts: a call reads about 1,000 deliveries, 250 rows of each shard.
    const rows = Array.from({ length: 1600 }, (_, n) => {
      const event = anEvent({ owner: current.caller.owner }, THIS_HOUR + n);
      const delivered = { status: 'delivered' as const, ticket: 2, settled_at: THIS_HOUR + n + 40 };
      return newDeliveryRow({ ...newDelivery(event, current.webhook.id), ...delivered });
    });
    await executeStatements(
      tables.client,
      rows.map((row) => insertStatement(tables.deliveryTable, row)),
    );

    const { json } = await stats();

    // The current hour uses up the limit of 1,000. The previous hour was never counted, so the counts are current up to its start.
    expect(json.hours).toMatchObject([{ hour: iso(earlier), refused: 1 }]);
    expect(json.as_of).toBe(iso(THIS_HOUR - HOUR));
    expect(json.last_success_at).toBe(iso(THIS_HOUR + 1599 + 40));
  });

  it('shows the hour that contains `since` and later hours, but not the hour that starts at `until`', async () => {
    const firstHour = THIS_HOUR - 6 * HOUR;
    for (const hour of [0, 1, 2, 3]) await addDelivered(firstHour + hour * HOUR);
    await runRollUp(THIS_HOUR, firstHour);

    const { json } = await stats(`since=${iso(firstHour + HOUR + 5)}&until=${iso(firstHour + 3 * HOUR)}`);

    expect(json.hours.map(({ hour }: { hour: string }) => hour)).toEqual([
      iso(firstHour + HOUR),
      iso(firstHour + 2 * HOUR),
    ]);
  });

  test.each([
    ['an until before since', 'until', 'since=2026-11-02T00:00:00Z&until=2026-11-01T00:00:00Z'],
    ['a range of 32 days', 'since', 'since=2026-10-01T00:00:00Z&until=2026-11-02T00:00:00Z'],
    ['a range in the year 0', 'until', 'since=0000-01-01T00:00:00Z&until=0000-01-02T00:00:00Z'],
    ['a since that is not a time', 'since', 'since=yesterday'],
    ['an unknown parameter', 'hours', 'hours=5'],
  ])('answers 422 to %s, and the only error names the parameter %s', async (_, path, query) => {
    const { status, json } = await stats(query);

    expect(status).toBe(422);
    expect(json.errors.map((error: { path: string }) => error.path)).toEqual([path]);
  });

  it('answers 200 to a range of 31 days', async () => {
    expect((await stats('since=2026-10-01T00:00:00Z&until=2026-11-01T00:00:00Z')).status).toBe(200);
  });

  it('answers 404 to a key of another account or mode and for a deleted webhook or malformed id, and 403 to a key with only webhooks:write', async () => {
    const deleted = await addWebhook({ deleted_at: iso(0) });
    const testCaller = await aCaller(tables, { accountId: current.caller.accountId, mode: 'test' });
    const writer = await aCaller(tables, { accountId: current.caller.accountId, scopes: ['webhooks:write'] });

    expect((await stats('', await aCaller(tables))).status).toBe(404);
    expect((await stats('', testCaller)).status).toBe(404);
    expect((await stats('', current.caller, deleted.id)).status).toBe(404);
    expect((await stats('', current.caller, 'whk_1')).status).toBe(404);
    expect((await stats('', writer)).status).toBe(403);
  });
});
