import { beforeEach, describe, expect, it } from 'vitest';
import { webhookKey } from '../../lambdas/adapters/rows/table-keys.ts';
import type { StoredWebhook } from '../../lambdas/domain/webhooks/webhook.ts';
import { aCaller, type Caller, rowsHolding, useApi } from '../helpers/api-caller.ts';
import { type RedeliveryOptions, startRedelivery } from '../helpers/redelivery-engine.ts';
import { useTables } from '../helpers/tables.ts';
import { type Answering, anEvent } from '../helpers/virtual-engine.ts';

const refused = { status: 500 };
const accepted = { status: 200 };
const onlyFirstAccepted: Answering = (_, number) => (number === 1 ? accepted : refused);
const redeliveryKinds = ['manual', 'replay'] as const;

describe('a delivered delivery that is redelivered, in virtual time', () => {
  const tables = useTables();
  const api = useApi(tables, 'deliveries-api');
  let me: Caller;
  beforeEach(async () => {
    me = await aCaller(tables);
  });

  const start = async (answer: Answering = onlyFirstAccepted, options: RedeliveryOptions = {}) => {
    const started = await startRedelivery(tables, answer, { ...options, owner: me.owner });
    const { engine, webhook, id, startMs } = started;
    const window = {
      since: new Date(startMs).toISOString(),
      until: new Date(startMs + 1000).toISOString(),
      dry_run: true,
    };
    return {
      ...started,
      shown: async () => (await api('GET', `/deliveries/${id}`, me)).json,
      listed: async (status: string) =>
        (await api('GET', `/webhooks/${webhook.id}/deliveries`, me, { query: `status=${status}` })).json.data.length,
      stats: async () => {
        const query = `since=${new Date(startMs).toISOString()}&until=${new Date(startMs + 1000).toISOString()}`;
        return (await api('GET', `/webhooks/${webhook.id}/stats`, me, { query })).json;
      },
      /** The number of deliveries that a recovery of every status but `delivered` would redeliver. */
      recoverable: async () => {
        const body = { ...window, status: ['dead', 'failed', 'pending'] };
        return (await api('POST', `/webhooks/${webhook.id}/recover`, me, { body })).json.count;
      },
      webhookRow: async (): Promise<Partial<StoredWebhook> | undefined> => {
        const { sk } = webhookKey(engine.owner, webhook.id);
        return (await rowsHolding(tables, tables.domainTable, engine.owner)).find((row) => row.sk === sk);
      },
    };
  };

  it.each([
    ['manual', 1],
    ['replay', 6],
  ] as const)(
    'by %s and refused %i times, keeps its status and settled_at, and shows every attempt',
    async (trigger, refusals) => {
      const { shown, redeliver, passHours } = await start();
      const before = await shown();

      await redeliver(trigger);
      const waiting = await shown();
      await passHours(40);
      const after = await shown();

      expect(waiting).toMatchObject({
        status: 'delivered',
        settled_at: before.settled_at,
        attempts_planned: 1 + refusals,
      });
      expect(waiting.next_attempt_at).not.toBeNull();
      expect(after).toMatchObject({ status: 'delivered', settled_at: before.settled_at, next_attempt_at: null });
      expect(after).toMatchObject({ attempts_made: 1 + refusals, attempts_planned: 1 + refusals, http_status: 500 });
      expect(after.attempts.map(({ http_status }: { http_status: number }) => http_status)).toEqual([
        200,
        ...Array<number>(refusals).fill(500),
      ]);
    },
  );

  it.each(redeliveryKinds)(
    'by %s and refused, keeps the success rate 1, stores no failing_since, emits no event, and is not found by recover',
    async (trigger) => {
      const { redeliver, passHours, stats, health, operationalEvents, recoverable } = await start();

      await redeliver(trigger);
      await passHours(5);
      const whileWaiting = await recoverable();
      await passHours(40);

      expect([whileWaiting, await recoverable()]).toEqual([0, 0]);
      expect(await stats()).toMatchObject({ success_rate: 1, hours: [{ delivered: 1, dead: 0 }] });
      expect((await health()) ?? {}).not.toHaveProperty('failing_since');
      expect(await operationalEvents()).toEqual([]);
    },
  );

  it('that is answered 410 on the standard profile stays delivered, emits no event and does not disable its webhook', async () => {
    const { id, engine, redeliver, passHours, operationalEvents, webhookRow } = await start(
      (_, number) => (number === 1 ? accepted : { status: 410 }),
      { webhook: { profile: 'standard' } },
    );

    await redeliver('replay');
    await passHours(40);

    expect(engine.outcomes.map(({ outcome }) => outcome)).toEqual(['delivered', 'refused']);
    expect(await engine.delivery(id)).toMatchObject({ status: 'delivered', last: { error: { code: 'gone' } } });
    expect(await operationalEvents()).toEqual([]);
    expect(await webhookRow()).toMatchObject({ enabled: true });
  });

  it('and accepted again keeps its settled_at, and last_success_at is the end of the second success', async () => {
    const { shown, redeliver, passHours, stats } = await start(() => accepted);
    const before = await shown();
    await passHours(3);

    await redeliver('manual');
    await passHours(4);

    const after = await shown();
    expect(after).toMatchObject({ status: 'delivered', settled_at: before.settled_at, attempts_made: 2 });
    expect((await stats()).last_success_at).toBe(after.attempts[1].started_at);
  });

  it('and accepted while its webhook is failing ends the failing and emits webhook.recovered', async () => {
    let isUp = true;
    const { engine, redeliver, passHours, health, operationalEvents } = await start(() => (isUp ? accepted : refused), {
      webhook: { schedule: [] },
    });
    isUp = false;
    await engine.publish(anEvent({}, engine.now()));
    await passHours(1);
    expect(await operationalEvents()).toEqual(['delivery.dead', 'webhook.failing']);

    isUp = true;
    await redeliver('manual');
    await passHours(2);

    expect(await operationalEvents()).toEqual(['delivery.dead', 'webhook.failing', 'webhook.recovered']);
    expect(await health()).not.toHaveProperty('failing_since');
  });

  it.each([
    ['before it recorded a refused manual attempt', 'beforeRecord', 3],
    ['after it recorded a refused manual attempt', 'afterRecord', 2],
  ] as const)(
    'keeps the status delivered, has 2 attempts and emits no event, if the function dies %s',
    async (_, fault, expectedPosts) => {
      const { engine, id, redeliver, passHours, operationalEvents } = await start();
      engine.faults[fault] = 1;

      await redeliver('manual');
      await passHours(5);

      expect(engine.posts).toHaveLength(expectedPosts);
      expect(engine.messages.size).toBe(0);
      expect(await engine.delivery(id)).toMatchObject({ status: 'delivered', attempts_made: 2, redelivery: null });
      expect(await operationalEvents()).toEqual([]);
    },
  );

  it('if the function dies after it recorded the first refusal of a replay, gets the other 5 attempts of the schedule', async () => {
    const { engine, id, redeliver, passHours } = await start();
    engine.faults.afterRecord = 1;

    await redeliver('replay');
    await passHours(40);

    expect(engine.posts).toHaveLength(1 + 6);
    expect(await engine.delivery(id)).toMatchObject({ status: 'delivered', attempts_made: 7, redelivery: null });
  });

  it('if the message of a manual retry is lost, is in the due index without an expiry until the sweep sends another', async () => {
    const { engine, row, redeliver, passHours } = await start();

    await redeliver('manual');
    engine.purge();
    const waiting = await row();
    await passHours(0.3);

    expect(waiting).toMatchObject({ status: 'delivered', due_pk: expect.any(String) });
    expect(waiting).not.toHaveProperty('ttl');
    expect(engine.posts).toHaveLength(2);
    expect(await row()).not.toHaveProperty('due_pk');
    expect(await row()).toMatchObject({ ttl: Math.ceil((engine.posts[1]?.atMs ?? 0) / 1000) + 30 * 86_400 });
  });

  it('is listed with status=delivered, and not with pending, failed or held, while it waits and while it is held', async () => {
    const { engine, webhook, id, redeliver, passHours, listed } = await start();
    const statuses = ['delivered', 'pending', 'failed', 'held'];

    await redeliver('replay');
    const whileWaiting = await Promise.all(statuses.map(listed));
    await engine.putWebhook({ ...webhook, enabled: false, disabled_reason: 'manual' });
    await passHours(1);
    const whileHeld = await Promise.all(statuses.map(listed));

    expect((await engine.delivery(id)).redelivery).toBe('held');
    expect([whileWaiting, whileHeld]).toEqual([
      [1, 0, 0, 0],
      [1, 0, 0, 0],
    ]);
  });

  it.each([
    ['its webhook is deleted', 'webhook'],
    ['the payload of its event is erased', 'event'],
  ] as const)('stays delivered without another POST after %s', async (_, erased) => {
    const { engine, webhook, event, row, shown, redeliver, passHours } = await start();
    const settled = await row();
    const nowText = new Date(engine.now()).toISOString();
    if (erased === 'webhook') await engine.putWebhook({ ...webhook, deleted_at: nowText });
    else await engine.publish({ ...event, data: 'null', payload_deleted_at: nowText });
    engine.purge();

    await redeliver('replay');
    const waiting = await shown();
    await passHours(5);

    expect(waiting).toMatchObject({ status: 'delivered', settled_at: new Date(settled?.settled_at).toISOString() });
    expect(engine.posts).toHaveLength(1);
    expect(await row()).toMatchObject({ status: 'delivered', redelivery: null, ttl: settled?.ttl });
    expect(await row()).not.toHaveProperty('due_pk');
  });
});
