import { DeleteItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import { beforeEach, describe, expect, it } from 'vitest';
import { createHourHistory } from '../../../lambdas/adapters/history/hour-history.ts';
import { createHourMarks, createHourRows } from '../../../lambdas/adapters/maintenance/hour-counts.ts';
import { createRollUpStore } from '../../../lambdas/adapters/maintenance/roll-up-store.ts';
import { rollUpProgressKey } from '../../../lambdas/adapters/rows/table-keys.ts';
import { deliveryId, drawId } from '../../../lambdas/domain/foundation/id.ts';
import { hourAt } from '../../../lambdas/domain/maintenance/hour.ts';
import { createHourCount } from '../../../lambdas/domain/maintenance/hour-counts.ts';
import { useTables } from '../../helpers/tables.ts';

const START_MS = Date.UTC(2026, 10, 1, 9);
const HOUR = 3_600_000;
const MINUTE = 60_000;
const hour = hourAt(START_MS, 1);
const owner = 'acc_1#live';

describe('the rows of the roll-up', () => {
  const tables = useTables();
  let webhookId: string;
  beforeEach(() => {
    webhookId = drawId('whk', START_MS);
  });

  const rows = () => createHourRows(tables.client, tables.deliveryTable, 30);
  const put = (deliveries: number, open: number, tickAtMs: number) => {
    const counts = { ...createHourCount().counts(), deliveries, delivered: deliveries - open, open };
    const againAtMs = open > 0 ? tickAtMs + HOUR : null;
    return rows().put(webhookId, hour, counts, { owner, againAtMs, tickAtMs });
  };
  const recount = (nowMs: number) =>
    createHourMarks(tables.client, tables.deliveryTable, 30, 1).markForRecount(
      [{ id: deliveryId(START_MS + 1, drawId('evt', START_MS), webhookId), owner }],
      nowMs,
    );
  const readHour = async () => {
    const history = createHourHistory(tables.client, tables.deliveryTable);
    const [storedHour] = await history.between(webhookId, START_MS, START_MS + HOUR);
    return storedHour;
  };
  const dueAgain = async (atMs: number) => {
    const names = { domain: tables.domainTable, delivery: tables.deliveryTable };
    const due = [];
    for await (const entry of createRollUpStore(tables.client, names, 30).dueAgain(atMs)) due.push(entry);
    return due.filter((entry) => entry.webhookId === webhookId);
  };

  it('an hour is due again one hour after a count with an open delivery, and is final after a count without one', async () => {
    const firstTickMs = hour.endMs + 15 * MINUTE;
    await put(3, 1, firstTickMs);
    expect(await readHour()).toMatchObject({ counted: { deliveries: 3, delivered: 2 }, isFinal: false });
    expect(await dueAgain(firstTickMs + HOUR - 1)).toEqual([]);
    expect(await dueAgain(firstTickMs + HOUR)).toEqual([{ owner, webhookId, startMs: START_MS }]);

    await put(3, 0, firstTickMs + HOUR);

    expect(await readHour()).toMatchObject({
      counted: { delivered: 3, counted_at: firstTickMs + HOUR },
      isFinal: true,
    });
    expect(await dueAgain(firstTickMs + 9 * HOUR)).toEqual([]);
  });

  it('an hour is due 15 minutes after a mark, but a mark 5 minutes after the end of the hour writes no row', async () => {
    await recount(hour.endMs + 5 * MINUTE);
    expect(await readHour()).toBeUndefined();

    await recount(hour.endMs + 30 * MINUTE);

    expect(await readHour()).toEqual({ startMs: START_MS, counted: null, isFinal: false });
    expect(await dueAgain(hour.endMs + 45 * MINUTE - 1)).toEqual([]);
    expect(await dueAgain(hour.endMs + 45 * MINUTE)).toHaveLength(1);
  });

  it('an hour with four marks is due 15 minutes after the first mark', async () => {
    for (const minute of [30, 35, 40, 44]) await recount(hour.endMs + minute * MINUTE);

    expect(await dueAgain(hour.endMs + 45 * MINUTE)).toHaveLength(1);
  });

  it('an hour that was marked during a count is due 15 minutes after the mark', async () => {
    const tickAtMs = hour.endMs + 2 * HOUR;
    await recount(tickAtMs + 1000);

    await put(3, 0, tickAtMs);

    expect(await dueAgain(tickAtMs + 15 * MINUTE + 1000)).toHaveLength(1);
  });

  it('an hour keeps its count of 3 deliveries when a later count finds only 1, and is then final', async () => {
    const firstTickMs = hour.endMs + 15 * MINUTE;
    await put(3, 1, firstTickMs);

    await put(1, 1, firstTickMs + HOUR);

    expect(await readHour()).toMatchObject({ counted: { deliveries: 3, delivered: 2 }, isFinal: true });
  });

  it('`close` writes no row for an hour that has none', async () => {
    await rows().close(webhookId, hour, hour.endMs + HOUR);

    expect(await readHour()).toBeUndefined();
  });

  it('of two `saveProgress` calls with the same version only the first returns true, and its progress is stored', async () => {
    const names = { domain: tables.domainTable, delivery: tables.deliveryTable };
    const store = createRollUpStore(tables.client, names, 30);
    await tables.client.send(
      new DeleteItemCommand({ TableName: tables.deliveryTable, Key: marshall(rollUpProgressKey) }),
    );
    const progressAt = (hourMs: number) => ({ hourMs, position: { owner, webhookId }, inHand: null });

    expect([await store.saveProgress(progressAt(1), 0), await store.saveProgress(progressAt(2), 0)]).toEqual([
      true,
      false,
    ]);
    expect([await store.saveProgress(progressAt(3), 1), await store.saveProgress(progressAt(4), 1)]).toEqual([
      true,
      false,
    ]);
    expect(await store.progress()).toEqual({ progress: progressAt(3), version: 2 });
  });
});
