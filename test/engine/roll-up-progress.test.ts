import { afterEach, describe, expect, it } from 'vitest';
import { putWebhook } from '../helpers/events-api.ts';
import { createRolledEngine, forgetAccounts, startRolled } from '../helpers/roll-up.ts';
import { useTables } from '../helpers/tables.ts';
import { aWebhook } from '../helpers/virtual-engine.ts';

describe('progress of the hourly roll-up, in virtual time', () => {
  const tables = useTables();
  afterEach(() => forgetAccounts(tables));

  const start = () => startRolled(tables);

  it('one tick after 20 hours resends the lost messages of three earlier hours and reports behind_hours 0', async () => {
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

  it('after two killed ticks, later ticks make 10 POSTs for two webhooks and count 5 deliveries for each webhook', async () => {
    const { engine, webhook, publish, statuses } = await start();
    const other = aWebhook();
    await engine.addWebhooks(other);
    const ids = await publish(5);
    engine.purge();
    await engine.passHours(1.25);

    // The first tick dies before it sends a message, the second after it wrote the counts of one of two webhooks.
    engine.faults.send = 1;
    await expect(engine.tick()).rejects.toThrow('the queue rejects the messages');
    let puts = 0;
    const put: typeof engine.store.put = async (...args) => {
      if (++puts === 2) throw new Error('killed');
      return engine.store.put(...args);
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

  it('four ticks that run out of time resend the 1,200 lost messages of one hour, 901 to 1,000 in the first, and begin the hour once', async () => {
    const { engine, webhook, publish } = await start();
    for (let n = 0; n < 12; n++) await publish(100);
    engine.purge();
    await engine.passHours(1.25);
    const reads: unknown[] = [];
    const read: typeof engine.store.read = async (...args) => {
      reads.push(args[2]);
      return engine.store.read(...args);
    };

    const ticks: number[] = [];
    for (let n = 1; n <= 4; n++) ticks.push((await engine.tick({ read }, () => reads.length >= n)).resent);

    expect(ticks.reduce((sum, resent) => sum + resent)).toBe(1200);
    expect(ticks[0]).toBeLessThanOrEqual(1000);
    expect(ticks[0]).toBeGreaterThan(900);
    expect(reads.filter((cursor) => cursor === null)).toHaveLength(1);
    expect(await engine.hours(webhook.id)).toMatchObject([{ deliveries: 1200, open: 1200 }]);
  });

  it('two ticks at the same time resend 2 lost messages in 2 POSTs, count 2 deliveries and advance the progress by one hour', async () => {
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

  it('a tick after 9 hours stops with behind_hours 7 if it cannot save its progress because another tick saved first', async () => {
    const { engine } = await start();
    await engine.passHours(9);

    const { behind_hours } = await engine.tick({ saveProgress: async () => false });

    expect(behind_hours).toBe(7);
  });

  it('a second tick at the same virtual time does not change the stored progress', async () => {
    const { engine, publish } = await start();
    await publish();
    await engine.passHours(4);
    await engine.tick();
    const before = await engine.store.progress();

    await engine.tick();

    expect(await engine.store.progress()).toEqual(before);
  });

  it('a tick reads the webhooks of the live and the test mode of both accounts, each once, and resends a lost message', async () => {
    const { engine, publish, statuses } = await start();
    const ids = await publish();
    const [account = ''] = engine.owner.split('#');
    const more = await createRolledEngine(tables, () => ({ status: 200 }));
    const readOwners: string[] = [];
    const webhookIds: typeof engine.store.webhookIds = (owner, after, deletedSinceMs) => {
      readOwners.push(owner);
      return engine.store.webhookIds(owner, after, deletedSinceMs);
    };
    engine.purge();
    await engine.passHours(1.25);

    await engine.tick({ webhookIds });
    await engine.passHours(1.3);

    const [second = ''] = more.owner.split('#');
    expect(readOwners.toSorted()).toEqual(
      [account, second].flatMap((each) => [`${each}#live`, `${each}#test`]).toSorted(),
    );
    expect(await statuses(ids)).toEqual(['delivered']);
  });

  it('a tick does not read the hours after the deletion of a webhook, and still reads the hour of the deletion', async () => {
    const { engine } = await start();
    const deletedAt = (atMs: number) => aWebhook({ owner: engine.owner, deleted_at: new Date(atMs).toISOString() });
    const startMs = engine.now();
    const [before, within] = [deletedAt(startMs - 3_600_000), deletedAt(startMs + 60_000)];
    for (const webhook of [before, within]) await putWebhook(tables, webhook);
    const readWebhooks: string[] = [];
    const read: typeof engine.store.read = (webhookId, ...rest) => {
      readWebhooks.push(webhookId);
      return engine.store.read(webhookId, ...rest);
    };
    await engine.passHours(1.25);

    await engine.tick({ read });

    expect(readWebhooks).toContain(within.id);
    expect(readWebhooks).not.toContain(before.id);
  });
});
