import { afterEach, describe, expect, it } from 'vitest';
import { SHARDS } from '../../lambdas/adapters/rows/table-keys.ts';
import { shardOf } from '../../lambdas/domain/foundation/id.ts';
import { DAY_MS, startForMonths } from '../helpers/long-owed.ts';
import { forgetAccounts } from '../helpers/roll-up.ts';
import { useTables } from '../helpers/tables.ts';

describe('a round through what is owed for long', () => {
  const tables = useTables();
  afterEach(() => forgetAccounts(tables));

  const start = () => startForMonths(tables);

  it('leaves alone what lives for a whole schedule anyway', async () => {
    const { engine, publishOne, passDays, endsOnDay } = await start();
    const { eventId } = await publishOne();
    const written: number[] = [];
    const extendEvents = async (...of: Parameters<typeof engine.store.extendEvents>) => {
      written.push(await engine.store.extendEvents(...of));
      return written.at(-1) ?? 0;
    };

    for (let week = 0; week <= 9; week++) {
      await passDays(7 * week, false);
      await engine.keep({ extendEvents });
    }

    // Too young to be looked at on the first day; then only what would not outlast a schedule is written.
    expect(written).toEqual([0, 0, 0, 0, 1, 0, 0, 1, 0]);
    expect(await endsOnDay(eventId)).toBe(56 + 30);
  });

  it('comes once a week', async () => {
    const { engine, webhook } = await start();
    const readOnDay: number[] = [];
    const openDeliveries: typeof engine.store.openDeliveries = async (id, ...of) => {
      if (id === webhook.id) readOnDay.push((engine.now() - engine.startMs) / DAY_MS);
      return engine.store.openDeliveries(id, ...of);
    };

    for (let day = 0; day <= 15; day++) {
      await engine.passUntil(engine.startMs + day * DAY_MS);
      await engine.keep({ openDeliveries });
    }

    expect([...new Set(readOnDay)]).toEqual([0, 7, 14]);
    expect(readOnDay).toHaveLength(3 * 12);
  });

  it('goes on where it stopped when its time was up, and does nothing twice', async () => {
    const { engine, publish, statuses } = await start();
    const ids = await publish(450);
    await engine.passUntil(engine.startMs + 40 * DAY_MS);
    let pages = 0;
    const counting: Partial<typeof engine.store> = {
      openDeliveries: async (...of) => {
        pages++;
        return engine.store.openDeliveries(...of);
      },
    };
    let invocations = 0;
    let kept = 0;

    for (; kept < 450 && invocations < 20; invocations++) {
      let left = 4;
      kept += (await engine.keep(counting, () => left-- <= 0)).extended;
    }

    expect(kept).toBe(450);
    const shards = Map.groupBy(ids, (id) => shardOf(id, SHARDS)).values();
    const heldPages = [...shards].reduce((sum, of) => sum + Math.floor(of.length / 100) + 1, 0);
    expect(pages).toBe(2 * SHARDS + heldPages);
    expect(invocations).toBeGreaterThan(3);
    expect(new Set(await statuses(ids))).toEqual(new Set(['held']));
  });

  it('may be killed half-way, or made by two at once', async () => {
    const { engine, publishOne, passDays, endsOnDay } = await start();
    const { eventId } = await publishOne();
    await passDays(40, false);
    const dies = async () => {
      throw new Error('killed');
    };

    await expect(engine.keep({ extendEvents: dies })).rejects.toThrow('killed');
    const other = await engine.keep({ saveRetentionProgress: async () => false });
    const { extended } = await engine.keep();

    expect([other.extended, extended]).toEqual([1, 0]);
    expect(await endsOnDay(eventId)).toBe(70);
  });
});
