import { describe, expect, it } from 'vitest';
import type { StoredWebhook } from '../../lambdas/domain/webhooks/webhook.ts';
import { startRedelivery } from '../helpers/redelivery-engine.ts';
import { useTables } from '../helpers/tables.ts';
import type { Answering } from '../helpers/virtual-engine.ts';

const MINUTE = 1 / 60;
const refused = { status: 500 };
const accepted = { status: 200 };
/** Waits of ten minutes, of six hours (too long for the queue), and of one minute. */
const schedule = [600, 21_600, 60];

describe('a manual retry of a delivery that waits for its next attempt, in virtual time', () => {
  const tables = useTables();

  const start = async (answer: Answering = () => refused, webhook: Partial<StoredWebhook> = {}) => {
    const started = await startRedelivery(tables, answer, { webhook: { schedule, ...webhook } });
    const { engine, startMs } = started;
    /** The times of the posts, in minutes since the start. */
    const postedAt = () => engine.posts.map(({ atMs }) => Math.round((atMs - startMs) / 60_000));
    return { ...started, postedAt };
  };

  it('makes the POST immediately, with trigger manual, and the next wait of the schedule begins at that POST', async () => {
    const { engine, id, redeliver, passHours, postedAt, operationalEvents } = await start();
    await passHours(5 * MINUTE);

    await redeliver('manual', { attempts_made: 1 });
    await passHours(6 * MINUTE);
    const retried = await engine.delivery(id);
    await passHours(24);

    expect(retried).toMatchObject({ status: 'failed', step: 2, attempts_made: 2, last: { trigger: 'manual' } });
    expect(postedAt()).toEqual([0, 5, 365, 366]);
    expect(await engine.delivery(id)).toMatchObject({ status: 'dead', step: 3, last: { trigger: 'schedule' } });
    expect(await operationalEvents()).toEqual(['delivery.dead', 'webhook.failing']);
  });

  it('takes a parked wait out of the due index: no second POST is made when the wait of six hours would have ended', async () => {
    const { engine, id, redeliver, passHours, postedAt } = await start((_, number) =>
      number < 3 ? refused : accepted,
    );
    await passHours(1);
    expect(await engine.delivery(id)).toMatchObject({ status: 'failed', step: 2, parked: true });

    await redeliver('manual', { attempts_made: 2 });
    await passHours(24);

    expect(postedAt()).toEqual([0, 10, 60]);
    expect(await engine.delivery(id)).toMatchObject({
      status: 'delivered',
      parked: false,
      last: { trigger: 'manual' },
    });
  });

  it('of the last attempt of the schedule leaves the delivery dead when it is refused', async () => {
    const { engine, id, redeliver, passHours, postedAt } = await start(undefined, { schedule: [600] });
    await passHours(5 * MINUTE);

    await redeliver('manual', { attempts_made: 1 });
    await passHours(24);

    expect(postedAt()).toEqual([0, 5]);
    expect(await engine.delivery(id)).toMatchObject({ status: 'dead', attempts_made: 2, last: { trigger: 'manual' } });
  });

  it('makes one POST if its command runs three times, of which the first fails to send its message', async () => {
    const { engine, commandOf, passHours, postedAt } = await start();
    const command = { kind: 'command', command: commandOf('manual', { attempts_made: 1 }) } as const;
    await passHours(5 * MINUTE);
    engine.faults.send = 1;

    await expect(engine.fanOut([command])).rejects.toThrow();
    await engine.fanOut([command]);
    await passHours(6 * MINUTE);
    await engine.fanOut([command]);
    await passHours(1);

    expect(postedAt()).toEqual([0, 5]);
  });

  it('is made with trigger manual by the sweep, at most 7 minutes later, if its message is lost', async () => {
    const { engine, id, redeliver, passHours } = await start();
    await passHours(0.1);

    await redeliver('manual', { attempts_made: 1 });
    engine.purge();
    await passHours(0.1 + 7 * MINUTE);

    expect(await engine.delivery(id)).toMatchObject({ attempts_made: 2, last: { trigger: 'manual' } });
  });

  it.each([
    ['before', 'beforeRecord', 3],
    ['after', 'afterRecord', 2],
  ] as const)(
    'has one recorded attempt, and the schedule continues, if the function dies %s the record',
    async (_, fault, posts) => {
      const { engine, id, redeliver, passHours } = await start();
      await passHours(0.1);
      engine.faults[fault] = 1;

      await redeliver('manual', { attempts_made: 1 });
      await passHours(1);
      expect(await engine.delivery(id)).toMatchObject({ status: 'failed', step: 2, attempts_made: 2 });
      expect(engine.posts).toHaveLength(posts);
      await passHours(24);

      expect(await engine.delivery(id)).toMatchObject({ status: 'dead', attempts_made: 4 });
    },
  );

  it('changes nothing if the scheduled attempt was made after the request and before its command ran', async () => {
    const { engine, id, redeliver, passHours, postedAt } = await start();
    await passHours(0.5);
    const before = await engine.delivery(id);

    await redeliver('manual', { attempts_made: 1 });
    await passHours(1);

    expect(postedAt()).toEqual([0, 10]);
    expect(await engine.delivery(id)).toEqual(before);
  });

  it('whose command runs during the scheduled POST makes no other POST, and the result of that POST is recorded', async () => {
    let duringSecondPost: () => Promise<unknown> = async () => undefined;
    const { engine, id, redeliver, passHours, postedAt } = await start(async (_, number) => {
      if (number === 2) await duringSecondPost();
      return refused;
    });
    duringSecondPost = () => redeliver('manual', { attempts_made: 1 });

    await passHours(1);

    expect(postedAt()).toEqual([0, 10]);
    expect(await engine.delivery(id)).toMatchObject({
      status: 'failed',
      attempts_made: 2,
      last: { trigger: 'schedule' },
    });
  });

  it('is held while its webhook is disabled, and gets the rest of the schedule after the release', async () => {
    const { engine, webhook, id, redeliver, release, passHours } = await start();
    await passHours(0.1);
    await engine.putWebhook({ ...webhook, enabled: false, disabled_reason: 'manual' });
    await redeliver('manual', { attempts_made: 1 });
    await passHours(0.5);
    expect(await engine.delivery(id)).toMatchObject({ status: 'held', attempts_made: 1 });

    await engine.putWebhook(webhook);
    await release();
    await passHours(24);

    expect(await engine.delivery(id)).toMatchObject({ status: 'dead', attempts_made: 4, step: 3 });
  });

  it('of a replayed delivered delivery makes its next attempt now, and the schedule of the replay continues', async () => {
    const { engine, id, redeliver, passHours, postedAt } = await start((_, number) =>
      number === 1 ? accepted : refused,
    );
    await redeliver('replay');
    await passHours(5 * MINUTE);

    await redeliver('manual', { attempts_made: 2 });
    await passHours(6 * MINUTE);
    const retried = await engine.delivery(id);
    await passHours(24);

    expect(retried).toMatchObject({ status: 'delivered', redelivery: 'waiting', last: { trigger: 'manual' } });
    expect(postedAt()).toEqual([0, 0, 5, 365, 366]);
    expect(await engine.delivery(id)).toMatchObject({ status: 'delivered', redelivery: null, attempts_made: 5 });
  });

  it('of a delivered delivery whose single attempt is overdue makes that single attempt now, and no other is planned', async () => {
    const { engine, id, redeliver, passHours } = await start((_, number) => (number === 1 ? accepted : refused));
    await redeliver('manual', { attempts_made: 1 });
    engine.purge();
    await passHours(MINUTE);

    await redeliver('manual', { id: 'manual#again', attempts_made: 1 });
    await passHours(24);

    expect(engine.posts).toHaveLength(2);
    expect(await engine.delivery(id)).toMatchObject({ status: 'delivered', attempts_made: 2, step: 0 });
  });

  it('whose command runs after the delivery was held leaves the delivery as it is', async () => {
    const { engine, webhook, id, redeliver, passHours } = await start();
    await engine.putWebhook({ ...webhook, enabled: false, disabled_reason: 'manual' });
    await passHours(0.5);
    const held = await engine.delivery(id);

    await redeliver('manual', { attempts_made: 1 });

    expect(held.status).toBe('held');
    expect(await engine.delivery(id)).toEqual(held);
  });

  it('sends no second message for the next wait of the schedule if its command runs again after the POST', async () => {
    const { engine, redeliver, passHours } = await start(undefined, { schedule: [600, 600] });
    await passHours(0.1);
    await redeliver('manual', { attempts_made: 1 });
    await passHours(0.12);
    const before = engine.messages.size;

    await redeliver('manual', { attempts_made: 1 });

    expect(engine.messages.size).toBe(before);
  });

  it('keeps the trigger manual when the rate limit of the webhook postpones it', async () => {
    const { engine, webhook, id, redeliver, passHours } = await start(undefined, { max_per_second: 1 });
    await passHours(0.1);
    await engine.store.reserveSlots(webhook.id, 5, 1000, engine.now());

    await redeliver('manual', { attempts_made: 1 });
    await passHours(0.15);

    expect(engine.outcomes.map(({ outcome }) => outcome)).toContain('paced');
    expect(await engine.delivery(id)).toMatchObject({ attempts_made: 2, last: { trigger: 'manual' } });
  });
});
