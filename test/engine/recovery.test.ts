import { describe, expect, it } from 'vitest';
import { deliveryId } from '../../lambdas/domain/foundation/id.ts';
import type { StoredWebhook } from '../../lambdas/domain/webhooks/webhook.ts';
import { useTables } from '../helpers/tables.ts';
import { type Answering, anEvent, aWebhook, createVirtualEngine } from '../helpers/virtual-engine.ts';

const MINUTE = 60_000;
const refused = { status: 500 };
const accepted = { status: 200 };

describe('recovery from faults, in virtual time', () => {
  const tables = useTables();

  const start = async (answer: Answering, webhook: StoredWebhook = aWebhook()) => {
    const engine = createVirtualEngine(tables, answer);
    await engine.addWebhooks(webhook);
    const event = anEvent({}, engine.now());
    const startMs = engine.now();
    return {
      engine,
      webhook,
      event,
      id: deliveryId(startMs, event.id, webhook.id),
      passMinutes: (minutes: number) => engine.passUntil(startMs + minutes * MINUTE),
      minutes: () => engine.posts.map(({ atMs }) => Math.round((atMs - startMs) / MINUTE)),
    };
  };

  it('every retry is sent although the queue is emptied repeatedly', async () => {
    const { engine, event, id, passMinutes } = await start(() => refused);
    await engine.publish(event);

    for (let minute = 1; minute < 1000; minute += 1) {
      await passMinutes(minute);
      if (minute % 97 === 3 || minute === 2) engine.purge();
    }

    expect(engine.posts).toHaveLength(6);
    expect((await engine.delivery(id)).status).toBe('dead');
  });

  it('a retry whose message is lost is at most a few minutes late', async () => {
    const { engine, event, passMinutes, minutes } = await start((_, number) => (number === 1 ? refused : accepted));
    await engine.publish(event);
    await passMinutes(0.5);
    engine.purge();

    await passMinutes(30);

    expect(minutes()[0]).toBe(0);
    expect(minutes()[1]).toBeLessThanOrEqual(8);
    expect(engine.posts).toHaveLength(2);
  });

  it('a crash between POST and record causes a second POST and a single record', async () => {
    const { engine, event, id, passMinutes } = await start(() => accepted);
    engine.faults.beforeRecord = 1;
    await engine.publish(event);

    await passMinutes(60);

    expect(engine.posts).toHaveLength(2);
    expect(await engine.delivery(id)).toMatchObject({ status: 'delivered', attempts_made: 1 });
  });

  it('the next message is sent after a crash between record and message', async () => {
    const { engine, event, id, passMinutes } = await start((_, number) => (number === 1 ? refused : accepted));
    engine.faults.afterRecord = 1;
    await engine.publish(event);

    await passMinutes(60);

    expect(engine.posts).toHaveLength(2);
    expect(await engine.delivery(id)).toMatchObject({ status: 'delivered', attempts_made: 2 });
  });

  it('the due index finds the next attempt when the function dies and the message is lost', async () => {
    const { engine, event, id, passMinutes } = await start((_, number) => (number === 1 ? refused : accepted));
    engine.faults.afterRecord = 1;
    await engine.publish(event);
    await passMinutes(0.5);
    engine.purge();

    await passMinutes(60);

    expect(engine.posts).toHaveLength(2);
    expect((await engine.delivery(id)).status).toBe('delivered');
  });

  it('an unreadable keyring counts as no attempt', async () => {
    const { engine, event, id, passMinutes } = await start(() => accepted);
    engine.faults.open = 3;
    await engine.publish(event);

    await passMinutes(60);

    expect(engine.posts).toHaveLength(1);
    expect(await engine.delivery(id)).toMatchObject({ status: 'delivered', attempts_made: 1 });
  });

  it('a failure to send the next message counts as no attempt', async () => {
    const { engine, event, id, passMinutes } = await start((_, number) => (number === 1 ? refused : accepted));
    await engine.publish(event);
    engine.faults.send = 1;

    await passMinutes(60);

    expect(engine.posts).toHaveLength(2);
    expect((await engine.delivery(id)).attempts_made).toBe(2);
  });

  it('a change that is fanned out twice is delivered once', async () => {
    const { engine, event, id, passMinutes } = await start(() => accepted);
    await engine.publish(event);
    await passMinutes(1);
    await engine.fanOut([{ kind: 'event', event: { ...event, owner: engine.owner }, isStored: true }]);

    await passMinutes(10);

    expect(engine.posts).toHaveLength(1);
    expect(engine.outcomes.map(({ outcome }) => outcome)).toEqual(['delivered', 'discarded']);
    expect((await engine.delivery(id)).status).toBe('delivered');
  });

  it('an event is delivered once after the fan-out died between rows and messages', async () => {
    const { engine, event, passMinutes } = await start(() => accepted);
    engine.faults.send = 1;
    await expect(engine.publish(event)).rejects.toThrow('rejects the messages');
    await engine.publish(event);

    await passMinutes(10);

    expect(engine.posts).toHaveLength(1);
  });

  it('duplicate messages do not change the record', async () => {
    const { engine, event, id, passMinutes } = await start((_, number) => (number === 1 ? refused : accepted));
    await engine.publish(event);
    const [message] = engine.messages;
    if (message) await engine.queue.send([message.ticket, message.ticket], engine.now());

    await passMinutes(60);

    expect(engine.posts).toHaveLength(2);
    expect(await engine.delivery(id)).toMatchObject({ status: 'delivered', attempts_made: 2 });
  });

  it('a tick that runs twice makes no additional attempt', async () => {
    const { engine, event, id, passMinutes } = await start(() => refused, aWebhook({ schedule: [3600] }));
    await engine.publish(event);
    await passMinutes(50);
    const tickMs = Math.floor(engine.now() / MINUTE) * MINUTE;

    await Promise.all([engine.sweep(tickMs), engine.sweep(tickMs)]);
    await passMinutes(120);

    expect(await engine.delivery(id)).toMatchObject({ status: 'dead', attempts_made: 2 });
  });

  it('a retry due while its webhook is disabled is held, and released when the webhook is enabled', async () => {
    const webhook = aWebhook();
    const { engine, event, id, passMinutes } = await start((_, number) => (number === 1 ? refused : accepted), webhook);
    await engine.publish(event);
    await passMinutes(0.5);
    await engine.putWebhook({ ...webhook, enabled: false, version: 2 });
    await passMinutes(600);
    const held = await engine.delivery(id);

    await engine.putWebhook({ ...webhook, enabled: true, version: 3 });
    const command = { id: 'cmd_1', owner: engine.owner, type: 'release', webhook_id: webhook.id } as const;
    await engine.fanOut([{ kind: 'command', command }]);
    await passMinutes(601);

    expect(held).toMatchObject({ status: 'held', attempts_made: 1 });
    expect(await engine.delivery(id)).toMatchObject({
      status: 'delivered',
      attempts_made: 2,
      last: { trigger: 'resume' },
    });
  });

  it('a delivery with retries left is cancelled when its webhook is deleted', async () => {
    const webhook = aWebhook();
    const { engine, event, id, passMinutes } = await start(() => refused, webhook);
    await engine.publish(event);
    await passMinutes(2);
    await engine.putWebhook({ ...webhook, deleted_at: new Date(engine.now()).toISOString() });

    await passMinutes(600);

    expect(engine.posts).toHaveLength(2);
    expect(await engine.delivery(id)).toMatchObject({ status: 'cancelled', attempts_made: 2 });
  });

  it('an overdue backlog is resent ever more rarely: four times in 45 minutes', async () => {
    const { engine, event, passMinutes } = await start(() => refused);
    await engine.publish(event);
    await passMinutes(0.5);
    engine.purge();
    const reminders: number[] = [];
    const firstTickMs = Math.ceil(engine.now() / MINUTE) * MINUTE;

    for (let minute = 0; minute < 45; minute++) {
      const { reminded } = await engine.sweep(firstTickMs + minute * MINUTE);
      engine.purge();
      if (reminded > 0) reminders.push(minute);
    }

    expect(reminders).toHaveLength(4);
  });

  it('a webhook for one resource receives only that resource’s events', async () => {
    const { engine, event, passMinutes } = await start(() => accepted, aWebhook({ resource: 'room-1' }));

    await engine.publish(event, anEvent({ resource: 'room-2' }, engine.now()));
    await engine.publish(anEvent({ resource: 'room-1' }, engine.now()));
    await passMinutes(1);

    expect(engine.posts).toHaveLength(1);
  });
});
