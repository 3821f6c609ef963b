import { GetItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import { describe, expect, it } from 'vitest';
import { deliveryKey } from '../../lambdas/adapters/rows/table-keys.ts';
import type { Command } from '../../lambdas/domain/deliveries/command.ts';
import { deliveryId } from '../../lambdas/domain/foundation/id.ts';
import type { StoredWebhook } from '../../lambdas/domain/webhooks/webhook.ts';
import { useTables } from '../helpers/tables.ts';
import { type Answering, anEvent, aWebhook, createVirtualEngine } from '../helpers/virtual-engine.ts';

const HOUR = 3_600_000;
const refused = { status: 500 };
const accepted = { status: 200 };

describe('manual retry and replay of a delivery, in virtual time', () => {
  const tables = useTables();

  const start = async (answer: Answering, webhook: StoredWebhook = aWebhook()) => {
    const engine = createVirtualEngine(tables, answer);
    await engine.addWebhooks(webhook);
    const event = anEvent({}, engine.now());
    const startMs = engine.now();
    const id = deliveryId(startMs, event.id, webhook.id);
    const commandOf = (trigger: 'manual' | 'replay', name = 'first', delivery_ids = [id]): Command => ({
      id: `${trigger}#${name}`,
      owner: engine.owner,
      type: 'redeliver',
      trigger,
      event_id: event.id,
      event_type: event.type,
      delivery_ids,
    });
    return {
      engine,
      webhook,
      event,
      id,
      commandOf,
      redeliver: (...args: Parameters<typeof commandOf>) =>
        engine.fanOut([{ kind: 'command', command: commandOf(...args) }]),
      passHours: (hours: number) => engine.passUntil(startMs + hours * HOUR),
      row: async () => {
        const Key = marshall(deliveryKey(id));
        const { Item = {} } = await tables.client.send(
          new GetItemCommand({ TableName: tables.deliveryTable, Key, ConsistentRead: true }),
        );
        return unmarshall(Item);
      },
    };
  };

  it('a manual retry of a delivery that died after 6 attempts makes a 7th POST, and the delivery is dead with trigger manual', async () => {
    const { engine, event, id, redeliver, passHours } = await start(() => refused);
    await engine.publish(event);
    await passHours(8);

    await redeliver('manual');
    await passHours(24);

    expect(engine.posts).toHaveLength(7);
    expect(await engine.delivery(id)).toMatchObject({
      status: 'dead',
      step: 5,
      attempts_made: 7,
      last: { trigger: 'manual' },
    });
  });

  it('a replay after 4 refused attempts restarts the schedule: 6 more POSTs, and the delivery is dead with attempts_made 10', async () => {
    const { engine, event, id, redeliver, passHours } = await start(() => refused);
    await engine.publish(event);
    await passHours(0.5);
    const before = engine.posts.length;

    await redeliver('replay');
    await passHours(48);

    expect(before).toBe(4);
    expect(engine.posts).toHaveLength(4 + 6);
    expect(await engine.delivery(id)).toMatchObject({ status: 'dead', attempts_made: 10, step: 5 });
  });

  it('a replay removes the ttl of a delivered delivery, and although its message is lost, 6 more POSTs are made, and the delivery stays delivered', async () => {
    const { engine, event, id, redeliver, passHours, row } = await start((_, number) =>
      number === 1 ? accepted : refused,
    );
    await engine.publish(event);
    await passHours(0.1);
    expect(await row()).toHaveProperty('ttl');

    await redeliver('replay');
    engine.purge();
    expect(await row()).not.toHaveProperty('ttl');
    expect(await engine.delivery(id)).toMatchObject({
      status: 'delivered',
      redelivery: 'waiting',
      trigger: 'replay',
    });
    await passHours(24);

    expect(engine.posts).toHaveLength(1 + 6);
    expect(await engine.delivery(id)).toMatchObject({ status: 'delivered', redelivery: null });
    expect(await row()).toHaveProperty('ttl');
  });

  it('a replay command that runs three times, of which the first fails to send its message, makes one additional POST', async () => {
    const { engine, event, id, commandOf, passHours } = await start(() => accepted);
    await engine.publish(event);
    await passHours(0.1);
    const command = { kind: 'command', command: commandOf('replay') } as const;
    engine.faults.send = 1;

    await expect(engine.fanOut([command])).rejects.toThrow();
    await engine.fanOut([command]);
    await passHours(0.2);
    await engine.fanOut([command]);
    await passHours(1);

    expect(engine.posts).toHaveLength(2);
    expect(await engine.delivery(id)).toMatchObject({ status: 'delivered', attempts_made: 2 });
  });

  it('a replay to a webhook without a delivery of the event creates one, and it is delivered with trigger replay', async () => {
    const { engine, event, redeliver, passHours } = await start(() => accepted);
    const late = aWebhook({ events: [] });
    await engine.addWebhooks(late);
    await engine.publish(event);
    await passHours(0.1);
    const id = deliveryId(Date.parse(event.created_at), event.id, late.id);

    await redeliver('replay', 'late', [id]);
    await passHours(1);

    expect(await engine.delivery(id)).toMatchObject({
      status: 'delivered',
      event_type: event.type,
      last: { trigger: 'replay' },
    });
  });

  it('a delivery that a replay created is delivered within 12 minutes although its message is lost', async () => {
    const { engine, event, redeliver, passHours } = await start(() => accepted);
    const late = aWebhook({ events: [] });
    await engine.addWebhooks(late);
    await engine.publish(event);
    await passHours(5);
    const id = deliveryId(Date.parse(event.created_at), event.id, late.id);

    await redeliver('replay', 'late', [id]);
    engine.purge();
    await passHours(5.2);

    expect((await engine.delivery(id)).status).toBe('delivered');
  });

  it('a dead delivery that is replayed while its webhook is disabled is held at step 0, with attempts_made 6', async () => {
    const { engine, webhook, event, id, redeliver, passHours } = await start(() => refused);
    await engine.publish(event);
    await passHours(8);
    await engine.putWebhook({ ...webhook, enabled: false, disabled_reason: 'manual' });

    await redeliver('replay');
    await passHours(9);

    expect(await engine.delivery(id)).toMatchObject({ status: 'held', attempts_made: 6, step: 0 });
  });

  // Before a fix, both messages of the delivery were discarded, and the sweep found the delivery minutes later.
  it('a replayed delivery makes one POST, with trigger replay, although its first message, now stale, is in the same batch', async () => {
    const { engine, event, id, redeliver } = await start(() => accepted);
    await engine.publish(event);
    await redeliver('replay');

    await engine.passUntil(engine.now() + 1000);

    expect(engine.posts).toHaveLength(1);
    expect(await engine.delivery(id)).toMatchObject({ status: 'delivered', last: { trigger: 'replay' } });
  });

  it('a manual retry that is held while its webhook is disabled makes one refused attempt after the release; the delivery stays delivered', async () => {
    const { engine, webhook, event, id, redeliver, passHours } = await start((_, number) =>
      number === 1 ? accepted : refused,
    );
    await engine.publish(event);
    await passHours(0.1);
    await engine.putWebhook({ ...webhook, enabled: false, disabled_reason: 'manual' });
    await redeliver('manual');
    await passHours(0.2);
    const held = await engine.delivery(id);

    await engine.putWebhook(webhook);
    const release = { id: 'release#1', owner: engine.owner, type: 'release', webhook_id: webhook.id } as const;
    await engine.fanOut([{ kind: 'command', command: release }]);
    await passHours(24);

    expect(held).toMatchObject({ status: 'delivered', redelivery: 'held' });
    expect(engine.posts).toHaveLength(2);
    expect(await engine.delivery(id)).toMatchObject({
      status: 'delivered',
      redelivery: null,
      attempts_made: 2,
      last: { trigger: 'manual' },
    });
  });

  it('a delivery that was refused twice is cancelled without a third POST after the payload of its event was deleted', async () => {
    const { engine, event, id, passHours } = await start(() => refused);
    await engine.publish(event);
    await passHours(0.05);

    await engine.publish({ ...event, data: 'null', payload_deleted_at: new Date(engine.now()).toISOString() });
    await passHours(8);

    expect(engine.posts).toHaveLength(2);
    expect(await engine.delivery(id)).toMatchObject({ status: 'cancelled', attempts_made: 2 });
  });
});
