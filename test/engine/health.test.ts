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

describe('health, in virtual time', () => {
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
      /** One event now, and time passes. */
      publishAt: async (hours: number) => {
        await engine.passUntil(startMs + hours * HOUR);
        await engine.publish(anEvent({}, engine.now()));
        await engine.passUntil(engine.now() + 1000);
      },
      passHours: (hours: number) => engine.passUntil(startMs + hours * HOUR),
      /** What was told since the last look, as the stream carries it. */
      told: async () => {
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

  it('writes nothing while all goes well', async () => {
    const { publishAt, health, told } = await start(() => accepted);

    await publishAt(0);
    await publishAt(1);

    expect(await health()).toBeUndefined();
    expect(await told()).toEqual([]);
  });

  it('tells that a webhook fails once it has for an hour, and once', async () => {
    const { webhook, publishAt, passHours, told, health } = await start(() => refused);
    await publishAt(0);
    await passHours(1);
    expect(await told()).toEqual([]);
    expect(await health()).toMatchObject({ failing_pk: 'F' });

    await passHours(5);

    const [event, ...others] = await told();
    expect(others).toEqual([]);
    expect(event).toMatchObject({ type: 'webhook.failing', about: webhook.id, origin: 'publish' });
    const data = JSON.parse(String(event?.data));
    expect(data).toMatchObject({
      webhook: { id: webhook.id, url: 'https://receiver.example/hook', description: null },
      reason: 'failing',
      delivery: { status: 'failed', http_status: 500 },
    });
  });

  it('tells of each delivery that dies', async () => {
    const { publishAt, passHours, told } = await start(() => refused, { schedule: [] });

    await publishAt(0);
    expect(typesOf(await told())).toEqual(['delivery.dead', 'webhook.failing']);
    await publishAt(1);
    await passHours(2);

    expect(typesOf(await told())).toEqual(['delivery.dead']);
  });

  it('tells of one that dies although whoever recorded it died too, and once', async () => {
    const { engine, publishAt, passHours, told } = await start(() => refused, { schedule: [] });
    engine.faults.afterRecord = 1;
    await publishAt(0);
    expect(await told()).toEqual([]);

    await passHours(1);

    expect(typesOf(await told())).toEqual(['delivery.dead']);
    expect(engine.posts).toHaveLength(1);
    expect(engine.messages.size).toBe(0);
  });

  it('tells of a recovery at the first success, where the failing was told', async () => {
    let isUp = false;
    const { publishAt, told, health } = await start(() => (isUp ? accepted : refused), { schedule: [] });
    await publishAt(0);
    await told();

    isUp = true;
    await publishAt(1);
    await publishAt(2);

    expect(typesOf(await told())).toEqual(['webhook.recovered']);
    expect(await health()).not.toHaveProperty('failing_since');
  });

  it('says nothing of a refusal that a retry makes good', async () => {
    const { publishAt, passHours, told, health } = await start((_, number) => (number === 1 ? refused : accepted));

    await publishAt(0);
    await passHours(1);

    expect(await told()).toEqual([]);
    expect(await health()).not.toHaveProperty('failing_since');
  });

  it.each([
    [120, null],
    [24, 24],
  ])('disables what has failed for %i hours without a success', async (hours, auto_disable_after_hours) => {
    const { publishAt, told, stored } = await start(() => refused, { schedule: [], auto_disable_after_hours });
    await publishAt(0);
    await publishAt(hours - 1);
    expect(await stored()).toMatchObject({ enabled: true });
    await told();

    await publishAt(hours + 1);

    expect(await stored()).toMatchObject({ enabled: false, disabled_reason: 'failing' });
    expect(typesOf(await told())).toEqual(['delivery.dead', 'webhook.disabled']);
  });

  it('disables one that is gone, and tells why', async () => {
    const { publishAt, told, stored } = await start(() => ({ status: 410 }), { profile: 'standard' });

    await publishAt(0);

    expect(await stored()).toMatchObject({ enabled: false, disabled_reason: 'gone' });
    const disabled = (await told()).find(({ type }) => type === 'webhook.disabled');
    expect(JSON.parse(String(disabled?.data))).toMatchObject({ reason: 'gone', delivery: { status: 'dead' } });
  });

  it('begins anew with a webhook that is enabled again', async () => {
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

  it('goes to others than the webhook it is about, and causes nothing in turn', async () => {
    const { engine, publishAt, told } = await start(() => refused, {
      schedule: [],
      events: ['task.accepted', 'delivery.dead'],
    });
    await engine.addWebhooks(
      aWebhook({ events: ['delivery.dead'], url: 'https://watcher.example/', schedule: [] }),
      aWebhook({ events: ['*'], profile: 'standard', url: 'https://everything.example/' }),
    );
    await publishAt(0);
    const events = await told();
    const before = engine.posts.length;

    await engine.fanOut(events.flatMap((row) => imageToChange(marshall(row)) ?? []));
    await engine.passUntil(engine.now() + HOUR);

    expect(engine.posts.slice(before).map(({ url }) => url)).not.toContain('https://receiver.example/hook?secret=1');
    expect(engine.posts.map(({ url }) => url)).toContain('https://watcher.example/');
    expect((await told()).filter(({ about }) => about !== events[0]?.about)).toMatchObject(
      // The one that wants everything refused the business event itself, and has not for an hour.
      [],
    );
  });
});
