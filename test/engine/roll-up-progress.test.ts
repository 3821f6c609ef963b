import { afterEach, describe, expect, it } from 'vitest';
import { createRolledEngine, forgetAccounts, startRolled } from '../helpers/roll-up.ts';
import { useTables } from '../helpers/tables.ts';
import { aWebhook } from '../helpers/virtual-engine.ts';

describe('how far the roll-up is', () => {
  const tables = useTables();
  afterEach(() => forgetAccounts(tables));

  const start = () => startRolled(tables);

  it('finds what is lost in hours that no tick has read in time', async () => {
    const { engine, publish, statuses } = await start();
    const ids = await publish();
    await engine.passHours(2.5);
    ids.push(...(await publish()));
    await engine.passHours(5);
    ids.push(...(await publish()));
    engine.purge();

    await engine.passHours(20);
    expect(await engine.tick()).toMatchObject({ behind_hours: 0 });
    await engine.passHours(20.1);

    expect(await statuses(ids)).toEqual(['delivered', 'delivered', 'delivered']);
  });

  it('finishes what a killed tick began, and counts nothing twice', async () => {
    const { engine, webhook, publish, statuses } = await start();
    const other = aWebhook();
    await engine.addWebhooks(other);
    const ids = await publish(5);
    engine.purge();
    await engine.passHours(1.25);

    // Dies once before anything is sent, once when the first webhook is written and the second is not.
    engine.faults.send = 1;
    await expect(engine.tick()).rejects.toThrow('the queue takes nothing');
    let puts = 0;
    const put: typeof engine.store.put = async (...of) => {
      if (++puts === 2) throw new Error('killed');
      return engine.store.put(...of);
    };
    await expect(engine.tick({ put })).rejects.toThrow('killed');
    await engine.tick();
    await engine.tick();
    await engine.passHours(2);
    await engine.tick();

    expect(await statuses(ids)).toEqual(Array(5).fill('delivered'));
    expect(engine.posts).toHaveLength(10);
    for (const { id } of [webhook, other]) {
      expect(await engine.hours(id)).toMatchObject([{ deliveries: 5, delivered: 5, open: 0, refused: 0 }]);
    }
  });

  it('stops in time in the middle of an hour, and goes on there', async () => {
    const { engine, webhook, publish } = await start();
    for (let n = 0; n < 12; n++) await publish(100);
    engine.purge();
    await engine.passHours(1.25);
    const reads: unknown[] = [];
    const read: typeof engine.store.read = async (...of) => {
      reads.push(of[2]);
      return engine.store.read(...of);
    };

    const ticks: number[] = [];
    for (let n = 1; n <= 4; n++) ticks.push((await engine.tick({ read }, () => reads.length >= n)).resent);

    expect(ticks.reduce((sum, resent) => sum + resent)).toBe(1200);
    expect(ticks[0]).toBeLessThanOrEqual(1000);
    expect(ticks[0]).toBeGreaterThan(900);
    expect(reads.filter((cursor) => cursor === null)).toHaveLength(1);
    expect(await engine.hours(webhook.id)).toMatchObject([{ deliveries: 1200, open: 1200 }]);
  });

  it('lets only one of two ticks at once note how far they are', async () => {
    const { engine, webhook, publish } = await start();
    await publish(2);
    engine.purge();
    await engine.passHours(1.25);

    await Promise.all([engine.tick(), engine.tick()]);
    await engine.passHours(2);
    await engine.tick();

    expect(engine.posts).toHaveLength(2);
    expect(await engine.hours(webhook.id)).toMatchObject([{ deliveries: 2, delivered: 2 }]);
    expect((await engine.store.progress())?.progress.hourMs).toBe(engine.startMs + 3_600_000);
  });

  it('stops when another has gone on meanwhile', async () => {
    const { engine } = await start();
    await engine.passHours(9);

    const { behind_hours } = await engine.tick({ saveProgress: async () => false });

    expect(behind_hours).toBe(7);
  });

  it('changes nothing by a tick that comes late', async () => {
    const { engine, publish } = await start();
    await publish();
    await engine.passHours(4);
    await engine.tick();
    const before = await engine.store.progress();

    await engine.tick();

    expect(await engine.store.progress()).toEqual(before);
  });

  it('goes through both modes and every account', async () => {
    const { engine, publish, statuses } = await start();
    const ids = await publish();
    const [account = ''] = engine.owner.split('#');
    const more = await createRolledEngine(tables, () => ({ status: 200 }));
    const found: string[] = [];
    const webhookIds: typeof engine.store.webhookIds = (owner, after) => {
      found.push(owner);
      return engine.store.webhookIds(owner, after);
    };
    engine.purge();
    await engine.passHours(1.25);

    await engine.tick({ webhookIds });
    await engine.passHours(1.3);

    const [second = ''] = more.owner.split('#');
    expect(found.toSorted()).toEqual([account, second].flatMap((each) => [`${each}#live`, `${each}#test`]).toSorted());
    expect(await statuses(ids)).toEqual(['delivered']);
  });
});
