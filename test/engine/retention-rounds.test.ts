import { afterEach, describe, expect, it } from 'vitest';
import { SHARDS } from '../../lambdas/adapters/rows/table-keys.ts';
import { shardOf } from '../../lambdas/domain/foundation/id.ts';
import { DAY_MS, startForMonths } from '../helpers/event-retention.ts';
import { forgetAccounts } from '../helpers/roll-up.ts';
import { useTables } from '../helpers/tables.ts';

describe('extendEventRetention, in weekly rounds', () => {
  const tables = useTables();
  afterEach(() => forgetAccounts(tables));

  const start = () => startForMonths(tables);

  it('called each week for ten weeks, extends the event of a held delivery in weeks 4 and 7 only, to day 86', async () => {
    const { engine, publishOne, passDays, endsOnDay } = await start();
    const { eventId } = await publishOne();
    const extendedCounts: number[] = [];
    const extendEvents = async (...args: Parameters<typeof engine.store.extendEvents>) => {
      extendedCounts.push(await engine.store.extendEvents(...args));
      return extendedCounts.at(-1) ?? 0;
    };

    for (let week = 0; week <= 9; week++) {
      await passDays(7 * week, false);
      await engine.extendRetention({ extendEvents });
    }

    // On the first day the event is too young to be read. Later rounds extend it only if it would expire within a schedule.
    expect(extendedCounts).toEqual([0, 0, 0, 0, 1, 0, 0, 1, 0]);
    expect(await endsOnDay(eventId)).toBe(56 + 30);
  });

  it('called each day for 16 days, reads the deliveries of a webhook on days 0, 7 and 14 only', async () => {
    const { engine, webhook } = await start();
    const readOnDay: number[] = [];
    const openDeliveries: typeof engine.store.openDeliveries = async (id, ...args) => {
      if (id === webhook.id) readOnDay.push((engine.now() - engine.startMs) / DAY_MS);
      return engine.store.openDeliveries(id, ...args);
    };

    for (let day = 0; day <= 15; day++) {
      await engine.passUntil(engine.startMs + day * DAY_MS);
      await engine.extendRetention({ openDeliveries });
    }

    expect([...new Set(readOnDay)]).toEqual([0, 7, 14]);
    expect(readOnDay).toHaveLength(3 * 12);
  });

  it('extends 450 events in more than 3 runs that each have time for a few pages, and reads no page twice', async () => {
    const { engine, publish, statuses } = await start();
    const ids = await publish(450);
    await engine.passUntil(engine.startMs + 40 * DAY_MS);
    let pages = 0;
    const counting: Partial<typeof engine.store> = {
      openDeliveries: async (...args) => {
        pages++;
        return engine.store.openDeliveries(...args);
      },
    };
    let invocations = 0;
    let kept = 0;

    for (; kept < 450 && invocations < 20; invocations++) {
      let left = 4;
      kept += (await engine.extendRetention(counting, () => left-- <= 0)).extended;
    }

    expect(kept).toBe(450);
    const shards = Map.groupBy(ids, (id) => shardOf(id, SHARDS)).values();
    const heldPages = [...shards].reduce((sum, shardIds) => sum + Math.floor(shardIds.length / 100) + 1, 0);
    expect(pages).toBe(2 * SHARDS + heldPages);
    expect(invocations).toBeGreaterThan(3);
    expect(new Set(await statuses(ids))).toEqual(new Set(['held']));
  });

  it('extends an event once, to day 70, in three runs of which the first throws and the second cannot save its progress', async () => {
    const { engine, publishOne, passDays, endsOnDay } = await start();
    const { eventId } = await publishOne();
    await passDays(40, false);
    const dies = async () => {
      throw new Error('killed');
    };

    await expect(engine.extendRetention({ extendEvents: dies })).rejects.toThrow('killed');
    const other = await engine.extendRetention({ saveRetentionProgress: async () => false });
    const { extended } = await engine.extendRetention();

    expect([other.extended, extended]).toEqual([1, 0]);
    expect(await endsOnDay(eventId)).toBe(70);
  });
});
