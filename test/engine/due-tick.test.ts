import { BatchWriteItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import { describe, expect, it } from 'vitest';
import { deliveryKey, duePkOf } from '../../lambdas/adapters/rows/table-keys.ts';
import { deliveryId, drawId, webhookOfDelivery } from '../../lambdas/domain/foundation/id.ts';
import { useTables } from '../helpers/tables.ts';
import { anEvent, aWebhook, createVirtualEngine } from '../helpers/virtual-engine.ts';

const MINUTE = 60_000;
const refused = { status: 500 };

/** A delivery as the due index stores it. */
interface DueRow {
  readonly id: string;
  readonly dueAtMs: number;
  readonly parked?: boolean;
}

describe('the due tick on an index with few deliveries, in virtual time', () => {
  const tables = useTables();

  let startMs = Date.UTC(2026, 0, 1);

  /**
   * Loses the message of a retry that is due after a wait in seconds. Returns a function that skips to a minute, runs a
   * tick and returns how many messages the tick sent for the retry.
   */
  const loseRetry = async (waitSeconds: number) => {
    // Each test has a month of its own, because the tests share the index.
    startMs += 30 * 24 * 60 * MINUTE;
    const engine = createVirtualEngine(tables, () => refused, { startMs });
    const webhook = aWebhook({ schedule: [waitSeconds] });
    await engine.addWebhooks(webhook);
    await engine.publish(anEvent({}, startMs));
    await engine.passUntil(startMs + 1000);
    return async (minute: number): Promise<number> => {
      engine.purge();
      engine.skipTo(startMs + minute * MINUTE);
      await engine.sweep(engine.now());
      return [...engine.messages].filter(({ ticket }) => webhookOfDelivery(ticket.deliveryId) === webhook.id).length;
    };
  };

  // Fixed bug: a tick compared the lateness with the tick before it, although that tick may have been missed, so the
  // reminder came at the next doubling.
  it('sends the second message of a retry that was due at minute 1 at minute 8 if the ticks of the minutes 5 to 7 were missed, and not again at minute 9', async () => {
    const sentAtMinute = await loseRetry(60);

    expect([await sentAtMinute(4), await sentAtMinute(8), await sentAtMinute(9)]).toEqual([0, 1, 0]);
  });

  it('sends one message of a retry that was due at minute 1 at minute 50 if all ticks from minute 5 on were missed, and the next at minute 81', async () => {
    const sentAtMinute = await loseRetry(60);

    expect([await sentAtMinute(4), await sentAtMinute(50), await sentAtMinute(51)]).toEqual([0, 1, 0]);
    expect([await sentAtMinute(80), await sentAtMinute(81), await sentAtMinute(82)]).toEqual([0, 1, 0]);
  });

  it('sends the message of a parked retry that was due at minute 60 at minute 180 if all ticks from minute 2 on were missed, and not again at minute 181', async () => {
    const sentAtMinute = await loseRetry(3600);

    expect([await sentAtMinute(1), await sentAtMinute(180), await sentAtMinute(181)]).toEqual([0, 1, 0]);
  });
});

describe('the due tick on an index with 12,000 overdue deliveries of one webhook, in virtual time', () => {
  const tables = useTables();
  const startMs = Date.UTC(2026, 10, 1);

  const writeRows = async (rows: readonly DueRow[]): Promise<void> => {
    const requests = rows.map(({ id, dueAtMs, parked = false }) => ({
      PutRequest: {
        Item: marshall({
          ...deliveryKey(id),
          ticket: 2,
          owner: 'acc_1#live',
          event_id: 'evt_1',
          due_pk: duePkOf(id),
          due_at: dueAtMs,
          ...(parked ? { parked } : {}),
        }),
      },
    }));
    for (let start = 0; start < requests.length; start += 25) {
      await tables.client.send(
        new BatchWriteItemCommand({ RequestItems: { [tables.deliveryTable]: requests.slice(start, start + 25) } }),
      );
    }
  };

  it('sends the messages of parked retries first and stops when its time is up; the following ticks send one message of each overdue delivery', async () => {
    const engine = createVirtualEngine(tables, () => refused, { startMs });
    const [busy, quiet] = [drawId('whk', startMs), drawId('whk', startMs)];
    const rowsOf = (webhookId: string, count: number, dueAtMs: number, parked: boolean): DueRow[] =>
      Array.from({ length: count }, (_, n) => ({ id: deliveryId(startMs, `evt_${n}`, webhookId), dueAtMs, parked }));
    const overdue = rowsOf(busy, 12_000, startMs - 5 * MINUTE, false);
    const parkedRows = rowsOf(quiet, 40, startMs + 10 * MINUTE, true);
    await writeRows([...overdue, ...parkedRows]);
    const sent = () => [...engine.messages];
    /** Runs a tick whose time is up as soon as it has sent 3,000 messages. */
    const tick = (minute: number) => {
      const sentBefore = engine.messages.size;
      return engine.sweep(startMs + minute * MINUTE, () => engine.messages.size - sentBefore >= 3000);
    };

    const first = await tick(0);

    const parkedMessages = sent().filter(({ ticket }) => ticket.dueAtMs === startMs + 10 * MINUTE);
    expect(
      sent()
        .slice(0, 40)
        .toSorted((a, b) => a.id - b.id),
    ).toEqual(parkedMessages.toSorted((a, b) => a.id - b.id));
    expect(parkedMessages.map(({ visibleAtMs }) => visibleAtMs)).toEqual(Array(40).fill(startMs + 10 * MINUTE));
    expect(first).toMatchObject({ unparked: 40, complete: false, owed: { owedNow: 12_000, oldestOwedSeconds: 300 } });
    // Each of the 16 shards ends its 250 entries when the time is up.
    expect(first.reminded).toBeLessThan(3000 + 16 * 250);

    const later = [await tick(1), await tick(2), await tick(3), await tick(4)];

    const reminders = sent()
      .map(({ ticket }) => ticket.deliveryId)
      .slice(40);
    expect(later.map(({ unparked }) => unparked)).toEqual([0, 0, 0, 0]);
    expect(later.at(-1)?.complete).toBe(true);
    expect(reminders).toHaveLength(12_000);
    expect(new Set(reminders)).toEqual(new Set(overdue.map(({ id }) => id)));
  });
});
