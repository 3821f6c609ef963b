import { GetItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import { describe, expect, it } from 'vitest';
import { imageToChange } from '../../lambdas/adapters/fan-out/stream-record.ts';
import { webhookKey } from '../../lambdas/adapters/rows/table-keys.ts';
import type { StoredWebhook } from '../../lambdas/domain/webhooks/webhook.ts';
import { rowsHolding } from '../helpers/api-caller.ts';
import { useTables } from '../helpers/tables.ts';
import { type Answering, anEvent, aWebhook, createVirtualEngine } from '../helpers/virtual-engine.ts';

const HOUR = 3_600_000;
const refused = { status: 500 };
const accepted = { status: 200 };
const operational = ['webhook.failing', 'webhook.recovered', 'webhook.disabled', 'delivery.dead'];

describe('health of a webhook and its operational events, in virtual time', () => {
  const tables = useTables();

  const start = async (answer: Answering, over: Partial<StoredWebhook> = {}) => {
    const webhook = aWebhook({ url: 'https://receiver.example/hook?secret=1', ...over });
    const engine = createVirtualEngine(tables, answer);
    await engine.addWebhooks(webhook);
    const startMs = engine.now();
    const seen = new Set<unknown>();
    return {
      engine,
      webhook,
      /** Publishes one event this number of hours after the start, and delivers it. */
      publishAt: async (hours: number) => {
        await engine.passUntil(startMs + hours * HOUR);
        await engine.publish(anEvent({ customer: webhook.customer }, engine.now()));
        await engine.passUntil(engine.now() + 1000);
      },
      passHours: (hours: number) => engine.passUntil(startMs + hours * HOUR),
      /** The operational events since the last call. */
      newOperationalEvents: async () => {
        const rows = await rowsHolding(tables, tables.domainTable, engine.owner);
        const fresh = rows.filter(({ sk, type }) => operational.includes(String(type)) && !seen.has(sk));
        for (const { sk } of fresh) seen.add(sk);
        return fresh.toSorted((a, b) => String(a.type).localeCompare(String(b.type)));
      },
      stored: async () => {
        const Key = marshall(webhookKey(engine.owner, webhook.id));
        const { Item = {} } = await tables.client.send(new GetItemCommand({ TableName: tables.domainTable, Key }));
        return unmarshall(Item);
      },
      health: async () =>
        (await rowsHolding(tables, tables.deliveryTable, webhook.id)).find(({ sk }) => sk === 'health'),
    };
  };
  const typesOf = (rows: readonly Record<string, unknown>[]) => rows.map(({ type }) => type);

  it('a webhook that accepts two deliveries has no health row and causes no operational event', async () => {
    const { publishAt, health, newOperationalEvents } = await start(() => accepted);

    await publishAt(0);
    await publishAt(1);

    expect(await health()).toBeUndefined();
    expect(await newOperationalEvents()).toEqual([]);
  });

  it('if every attempt is refused, no event is emitted in the first hour, and exactly one webhook.failing within 5 hours, with the owner of the webhook', async () => {
    const { webhook, publishAt, passHours, newOperationalEvents, health } = await start(() => refused, {
      customer: 'hotel-7',
    });
    await publishAt(0);
    await passHours(1);
    expect(await newOperationalEvents()).toEqual([]);
    expect(await health()).toMatchObject({ failing_pk: 'F' });

    await passHours(5);

    const [event, ...others] = await newOperationalEvents();
    expect(others).toEqual([]);
    expect(event).toMatchObject({ type: 'webhook.failing', about: webhook.id, origin: 'publish', customer: 'hotel-7' });
    const data = JSON.parse(String(event?.data));
    expect(data).toMatchObject({
      webhook: { id: webhook.id, url: 'https://receiver.example/hook', description: null },
      reason: 'failing',
      delivery: { status: 'failed', http_status: 500 },
    });
  });

  it('two deliveries that die emit one delivery.dead each, and only the first also emits webhook.failing', async () => {
    const { publishAt, passHours, newOperationalEvents } = await start(() => refused, { schedule: [] });

    await publishAt(0);
    expect(typesOf(await newOperationalEvents())).toEqual(['delivery.dead', 'webhook.failing']);
    await publishAt(1);
    await passHours(2);

    expect(typesOf(await newOperationalEvents())).toEqual(['delivery.dead']);
  });

  it('if the function dies after it recorded a dead delivery, one delivery.dead is emitted within an hour, without a second POST', async () => {
    const { engine, publishAt, passHours, newOperationalEvents } = await start(() => refused, { schedule: [] });
    engine.faults.afterRecord = 1;
    await publishAt(0);
    expect(await newOperationalEvents()).toEqual([]);

    await passHours(1);

    expect(typesOf(await newOperationalEvents())).toEqual(['delivery.dead']);
    expect(engine.posts).toHaveLength(1);
    expect(engine.messages.size).toBe(0);
  });

  it('after webhook.failing, two accepted deliveries emit one webhook.recovered and clear failing_since in the health row', async () => {
    let isUp = false;
    const { publishAt, newOperationalEvents, health } = await start(() => (isUp ? accepted : refused), {
      schedule: [],
    });
    await publishAt(0);
    await newOperationalEvents();

    isUp = true;
    await publishAt(1);
    await publishAt(2);

    expect(typesOf(await newOperationalEvents())).toEqual(['webhook.recovered']);
    expect(await health()).not.toHaveProperty('failing_since');
  });

  it('a refusal followed by an accepted retry emits no operational event and leaves no failing_since in the health row', async () => {
    const { publishAt, passHours, newOperationalEvents, health } = await start((_, number) =>
      number === 1 ? refused : accepted,
    );

    await publishAt(0);
    await passHours(1);

    expect(await newOperationalEvents()).toEqual([]);
    expect(await health()).not.toHaveProperty('failing_since');
  });

  it.each([
    ['by default', 120, null],
    ['with auto_disable_after_hours 24', 24, 24],
  ])(
    '%s, a webhook is enabled after a refusal 1 h before %i h without a success, and disabled by a refusal 1 h after them',
    async (_setting, hours, auto_disable_after_hours) => {
      const { publishAt, newOperationalEvents, stored } = await start(() => refused, {
        schedule: [],
        auto_disable_after_hours,
      });
      await publishAt(0);
      await publishAt(hours - 1);
      expect(await stored()).toMatchObject({ enabled: true });
      await newOperationalEvents();

      await publishAt(hours + 1);

      expect(await stored()).toMatchObject({ enabled: false, disabled_reason: 'failing' });
      expect(typesOf(await newOperationalEvents())).toEqual(['delivery.dead', 'webhook.disabled']);
    },
  );

  it('a webhook whose receiver answers 410 is disabled with the reason gone, and webhook.disabled holds this reason', async () => {
    const { publishAt, newOperationalEvents, stored } = await start(() => ({ status: 410 }), { profile: 'standard' });

    await publishAt(0);

    expect(await stored()).toMatchObject({ enabled: false, disabled_reason: 'gone' });
    const disabled = (await newOperationalEvents()).find(({ type }) => type === 'webhook.disabled');
    expect(JSON.parse(String(disabled?.data))).toMatchObject({ reason: 'gone', delivery: { status: 'dead' } });
  });

  it('the release of a webhook disabled as failing clears failing_since, and the next refusal does not disable the webhook', async () => {
    const { engine, webhook, publishAt, stored, health } = await start(() => refused, { schedule: [] });
    await publishAt(0);
    await publishAt(121);
    await engine.putWebhook({ ...webhook, version: 3 });

    const command = { id: 'release#1', owner: engine.owner, type: 'release', webhook_id: webhook.id } as const;
    await engine.fanOut([{ kind: 'command', command }]);
    expect(await health()).not.toHaveProperty('failing_since');
    await publishAt(122);

    expect(await stored()).toMatchObject({ enabled: true });
  });

  it('delivery.dead is sent to another webhook, not to the webhook whose delivery died, and its refusal emits no event', async () => {
    const { engine, publishAt, newOperationalEvents } = await start(() => refused, {
      schedule: [],
      events: ['task.accepted', 'delivery.dead'],
    });
    await engine.addWebhooks(
      aWebhook({ events: ['delivery.dead'], url: 'https://watcher.example/', schedule: [] }),
      aWebhook({ events: ['*'], profile: 'standard', url: 'https://everything.example/' }),
    );
    await publishAt(0);
    const events = await newOperationalEvents();
    const postsBefore = engine.posts.length;

    await engine.fanOut(events.flatMap((row) => imageToChange(marshall(row)) ?? []));
    await engine.passUntil(engine.now() + HOUR);

    expect(engine.posts.slice(postsBefore).map(({ url }) => url)).not.toContain(
      'https://receiver.example/hook?secret=1',
    );
    expect(engine.posts.map(({ url }) => url)).toContain('https://watcher.example/');
    expect((await newOperationalEvents()).filter(({ about }) => about !== events[0]?.about)).toMatchObject(
      // The webhook for `*` refused task.accepted too, but it has not been failing for an hour.
      [],
    );
  });
});
