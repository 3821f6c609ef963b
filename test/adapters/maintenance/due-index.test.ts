import { DeleteItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import { describe, expect, it } from 'vitest';
import { createDueIndex, createSweepStore } from '../../../lambdas/adapters/maintenance/due-index.ts';
import { DUE_SHARDS, deliveryKey, duePk } from '../../../lambdas/adapters/rows/table-keys.ts';
import { deliveryId, drawId, shardOf } from '../../../lambdas/domain/foundation/id.ts';
import type { DueEntry } from '../../../lambdas/domain/maintenance/due-tick.ts';
import { useTables } from '../../helpers/tables.ts';

const startMs = Date.UTC(2026, 10, 1);
const SHARD = 3;

const collect = async (pages: AsyncIterable<readonly DueEntry[]>): Promise<string[]> => {
  const ids: string[] = [];
  for await (const page of pages) ids.push(...page.map(({ deliveryId }) => deliveryId));
  return ids;
};

describe('a shard of the due index with four deliveries that are due at the same millisecond, the fourth parked', () => {
  const tables = useTables();
  const webhookId = drawId('whk', startMs);
  const ids = Array.from({ length: 1000 }, (_, n) => deliveryId(startMs, `evt_${n}`, webhookId))
    .filter((id) => shardOf(id, DUE_SHARDS) === SHARD)
    .slice(0, 4);
  const range = { afterMs: startMs - 1, untilMs: startMs };
  const fill = async () => {
    for (const [index, id] of ids.entries()) {
      const due = { due_pk: duePk(SHARD), due_at: startMs, ticket: 1, owner: 'acc_1#live', event_id: 'evt_1' };
      const row = { ...deliveryKey(id), ...due, ...(index === 3 ? { parked: true } : {}) };
      await tables.client.send(new PutItemCommand({ TableName: tables.deliveryTable, Item: marshall(row) }));
    }
    return createDueIndex(tables.client, tables.deliveryTable);
  };

  it('`overdue` continues behind the second entry, also when the row of that entry was deleted meanwhile', async () => {
    const index = await fill();
    const all = await collect(index.overdue(SHARD, range, null));
    const position = { dueAtMs: startMs, deliveryId: all[1] ?? '' };
    await tables.client.send(
      new DeleteItemCommand({ TableName: tables.deliveryTable, Key: marshall(deliveryKey(position.deliveryId)) }),
    );

    expect(all.toSorted()).toEqual(ids.toSorted());
    expect(await collect(index.overdue(SHARD, range, position))).toEqual(all.slice(2));
  });

  it('`parked` reads only the parked entry, and nothing after `unpark`; a range that ends where it begins is empty', async () => {
    const index = await fill();
    const entry = { deliveryId: ids[3] ?? '', ticket: 1, parked: true, owner: '', eventId: '', dueAtMs: startMs };

    expect(await collect(index.parked(SHARD, range))).toEqual([entry.deliveryId]);
    expect(await collect(index.parked(SHARD, { afterMs: startMs, untilMs: startMs }))).toEqual([]);
    await index.unpark([entry]);
    expect(await collect(index.parked(SHARD, range))).toEqual([]);
  });

  it('`backlog` counts four entries, names the due time of the oldest, and finds no entry a millisecond earlier', async () => {
    const index = await fill();

    expect(await index.backlog(SHARD, startMs, () => false)).toEqual({ count: 4, oldestDueMs: startMs });
    expect(await index.backlog(SHARD, startMs - 1, () => false)).toEqual({ count: 0, oldestDueMs: null });
  });

  it('the stored progress of the due tick is read as it was saved, and a save over another version returns false', async () => {
    const store = createSweepStore(tables.client, tables.deliveryTable);
    const positions = [null, { doubling: 2, after: { dueAtMs: startMs, deliveryId: ids[0] ?? '' } }];
    const progress = { parkedUntilMs: startMs, round: { fromMs: 1, untilMs: 2, positions } };

    expect(await store.progress()).toBeNull();
    expect(await store.saveProgress(progress, 0)).toBe(true);
    expect(await store.saveProgress({ ...progress, parkedUntilMs: 0 }, 0)).toBe(false);
    expect(await store.progress()).toEqual({ progress, version: 1 });
  });
});
