import { describe, expect, it } from 'vitest';
import { deliveryId } from '../../lambdas/domain/foundation/id.ts';
import type { StoredWebhook } from '../../lambdas/domain/webhooks/webhook.ts';
import { useTables } from '../helpers/tables.ts';
import { type Answering, anEvent, aWebhook, createVirtualEngine } from '../helpers/virtual-engine.ts';

const MINUTE = 60_000;
const refused = { status: 500 };
const accepted = { status: 200 };

describe('recovery of deliveries from faults, in virtual time', () => {
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

  it('a refused delivery makes 6 POSTs and is dead although the queue loses all messages every 97 minutes', async () => {
    const { engine, event, id, passMinutes } = await start(() => refused);
    await engine.publish(event);

    for (let minute = 1; minute < 1000; minute += 1) {
      await passMinutes(minute);
      if (minute % 97 === 3 || minute === 2) engine.purge();
    }

    expect(engine.posts).toHaveLength(6);
    expect((await engine.delivery(id)).status).toBe('dead');
  });

  it('a retry that is due at minute 1 is sent by minute 8 if its message is lost, and there are 2 POSTs in all', async () => {
    const { engine, event, passMinutes, minutes } = await start((_, number) => (number === 1 ? refused : accepted));
    await engine.publish(event);
    await passMinutes(0.5);
    engine.purge();

    await passMinutes(30);

    expect(minutes()[0]).toBe(0);
    expect(minutes()[1]).toBeLessThanOrEqual(8);
    expect(engine.posts).toHaveLength(2);
  });

  it('if the function dies between POST and record, there is a second POST, and attempts_made of the delivered delivery is 1', async () => {
    const { engine, event, id, passMinutes } = await start(() => accepted);
    engine.faults.beforeRecord = 1;
    await engine.publish(event);

    await passMinutes(60);

    expect(engine.posts).toHaveLength(2);
    expect(await engine.delivery(id)).toMatchObject({ status: 'delivered', attempts_made: 1 });
  });

  it('if the function dies between the record of a refused attempt and the next message, the retry is still sent (2 POSTs)', async () => {
    const { engine, event, id, passMinutes } = await start((_, number) => (number === 1 ? refused : accepted));
    engine.faults.afterRecord = 1;
    await engine.publish(event);

    await passMinutes(60);

    expect(engine.posts).toHaveLength(2);
    expect(await engine.delivery(id)).toMatchObject({ status: 'delivered', attempts_made: 2 });
  });

  it('if the function dies after the record of a refused attempt and all messages are lost, the due index causes the retry (2 POSTs)', async () => {
    const { engine, event, id, passMinutes } = await start((_, number) => (number === 1 ? refused : accepted));
    engine.faults.afterRecord = 1;
    await engine.publish(event);
    await passMinutes(0.5);
    engine.purge();

    await passMinutes(60);

    expect(engine.posts).toHaveLength(2);
    expect((await engine.delivery(id)).status).toBe('delivered');
  });

  it('a delivery is delivered with 1 POST and attempts_made 1 after three reads of the keyring failed', async () => {
    const { engine, event, id, passMinutes } = await start(() => accepted);
    engine.faults.open = 3;
    await engine.publish(event);

    await passMinutes(60);

    expect(engine.posts).toHaveLength(1);
    expect(await engine.delivery(id)).toMatchObject({ status: 'delivered', attempts_made: 1 });
  });

  it('if the queue rejects the message for a retry once, the delivery makes 2 POSTs and attempts_made is 2', async () => {
    const { engine, event, id, passMinutes } = await start((_, number) => (number === 1 ? refused : accepted));
    await engine.publish(event);
    engine.faults.send = 1;

    await passMinutes(60);

    expect(engine.posts).toHaveLength(2);
    expect((await engine.delivery(id)).attempts_made).toBe(2);
  });

  it('an event that is fanned out twice is sent in one POST', async () => {
    const { engine, event, id, passMinutes } = await start(() => accepted);
    await engine.publish(event);
    await passMinutes(1);
    await engine.fanOut([{ kind: 'event', event: { ...event, owner: engine.owner }, isStored: true }]);

    await passMinutes(10);

    expect(engine.posts).toHaveLength(1);
    expect(engine.outcomes.map(({ outcome }) => outcome)).toEqual(['delivered', 'discarded']);
    expect((await engine.delivery(id)).status).toBe('delivered');
  });

  it('an event is sent in one POST if its first fan-out failed to send the message and a second fan-out ran', async () => {
    const { engine, event, passMinutes } = await start(() => accepted);
    engine.faults.send = 1;
    await expect(engine.publish(event)).rejects.toThrow('rejects the messages');
    await engine.publish(event);

    await passMinutes(10);

    expect(engine.posts).toHaveLength(1);
  });

  it('two duplicates of the first message cause no extra POST: one refused and one accepted attempt, attempts_made 2', async () => {
    const { engine, event, id, passMinutes } = await start((_, number) => (number === 1 ? refused : accepted));
    await engine.publish(event);
    const [message] = engine.messages;
    if (message) await engine.queue.send([message.ticket, message.ticket], engine.now());

    await passMinutes(60);

    expect(engine.posts).toHaveLength(2);
    expect(await engine.delivery(id)).toMatchObject({ status: 'delivered', attempts_made: 2 });
  });

  it('two concurrent sweeps of the same tick cause no extra attempt: a delivery with one retry is dead with attempts_made 2', async () => {
    const { engine, event, id, passMinutes } = await start(() => refused, aWebhook({ schedule: [3600] }));
    await engine.publish(event);
    await passMinutes(50);
    const tickMs = Math.floor(engine.now() / MINUTE) * MINUTE;

    await Promise.all([engine.sweep(tickMs), engine.sweep(tickMs)]);
    await passMinutes(120);

    expect(await engine.delivery(id)).toMatchObject({ status: 'dead', attempts_made: 2 });
  });

  it('a retry that falls due while its webhook is disabled is held, and delivered with trigger resume after the release', async () => {
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

  it('a delivery that was refused twice is cancelled without a third POST after its webhook is deleted', async () => {
    const webhook = aWebhook();
    const { engine, event, id, passMinutes } = await start(() => refused, webhook);
    await engine.publish(event);
    await passMinutes(2);
    await engine.putWebhook({ ...webhook, deleted_at: new Date(engine.now()).toISOString() });

    await passMinutes(600);

    expect(engine.posts).toHaveLength(2);
    expect(await engine.delivery(id)).toMatchObject({ status: 'cancelled', attempts_made: 2 });
  });

  it('an overdue delivery whose messages are lost each time is resent by exactly 4 of 45 sweeps, one sweep a minute', async () => {
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

  it('a webhook with resource room-1 gets 1 POST for three events: without a resource, for room-2 and for room-1', async () => {
    const { engine, event, passMinutes } = await start(() => accepted, aWebhook({ resource: 'room-1' }));

    await engine.publish(event, anEvent({ resource: 'room-2' }, engine.now()));
    await engine.publish(anEvent({ resource: 'room-1' }, engine.now()));
    await passMinutes(1);

    expect(engine.posts).toHaveLength(1);
  });
});
