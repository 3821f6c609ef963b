import { describe, expect, it } from 'vitest';
import { webhookKey } from '../../lambdas/adapters/rows/table-keys.ts';
import type { RedeliverCommand } from '../../lambdas/domain/deliveries/command.ts';
import { deliveryId } from '../../lambdas/domain/foundation/id.ts';
import type { StoredWebhook } from '../../lambdas/domain/webhooks/webhook.ts';
import { rowsHolding } from '../helpers/api-caller.ts';
import { startRedelivery } from '../helpers/redelivery-engine.ts';
import { useTables } from '../helpers/tables.ts';
import { type Answering, anEvent, aWebhook } from '../helpers/virtual-engine.ts';

const refused = { status: 500 };
const accepted = { status: 200 };

describe('a test delivery, in virtual time', () => {
  const tables = useTables();

  const start = (answer: Answering, webhook: Partial<StoredWebhook> = {}) =>
    startRedelivery(tables, answer, { webhook, event: ({ id }) => ({ test_of: id }) });

  it('is marked with test in its row, and its request has the header x-passpost-test: true', async () => {
    const { engine, id } = await start(() => accepted);

    expect(await engine.delivery(id)).toMatchObject({ status: 'delivered', test: true });
    expect(engine.posts[0]?.headers).toMatchObject({ 'x-passpost-test': 'true' });
  });

  it('that dies after 6 refusals over 7 hours stores no failing_since and emits no event', async () => {
    const { engine, id, passHours, health, operationalEvents } = await start(() => refused);

    await passHours(24);

    expect(engine.posts).toHaveLength(6);
    expect(await engine.delivery(id)).toMatchObject({ status: 'dead', test: true });
    expect((await health()) ?? {}).not.toHaveProperty('failing_since');
    expect(await operationalEvents()).toEqual([]);
  });

  it('emits no delivery.dead when the function dies after it recorded the last refusal and the message comes back', async () => {
    const { engine, event, webhook, id, passHours, operationalEvents } = await start(() => refused, { schedule: [60] });
    engine.faults.afterRecord = 1;

    await passHours(1);

    expect(await engine.delivery(id)).toMatchObject({ status: 'dead', attempts_made: 2 });
    expect(event.test_of).toBe(webhook.id);
    expect(engine.messages.size).toBe(0);
    expect(await operationalEvents()).toEqual([]);
  });

  it('that is answered 410 on the standard profile is dead, and its webhook stays enabled', async () => {
    const { engine, id, webhook, operationalEvents } = await start(() => ({ status: 410 }), { profile: 'standard' });
    const { sk } = webhookKey(engine.owner, webhook.id);

    const row = (await rowsHolding(tables, tables.domainTable, engine.owner)).find((each) => each.sk === sk);

    expect(await engine.delivery(id)).toMatchObject({ status: 'dead' });
    expect(row).toMatchObject({ enabled: true });
    expect(await operationalEvents()).toEqual([]);
  });

  it('that is accepted while its webhook is failing does not end the failing', async () => {
    let isUp = false;
    const { engine, event, health, operationalEvents } = await start(() => (isUp ? accepted : refused), {
      schedule: [],
    });
    await engine.publish(anEvent({}, engine.now()));
    await engine.passUntil(engine.now() + 1000);
    const failing = await health();

    isUp = true;
    await engine.publish({ ...anEvent({}, engine.now()), test_of: event.test_of });
    await engine.passUntil(engine.now() + 1000);

    expect(engine.outcomes.at(-1)).toMatchObject({ outcome: 'delivered' });
    expect(failing).toHaveProperty('failing_since');
    expect(await health()).toMatchObject({ failing_since: failing?.failing_since });
    expect(await operationalEvents()).toEqual(['delivery.dead', 'webhook.failing']);
  });

  it('that a replay of the test event creates for another webhook is marked too', async () => {
    const { engine, startMs, event, redeliver } = await start(() => accepted);
    const other = aWebhook({ events: [] });
    await engine.addWebhooks(other);
    const id = deliveryId(startMs, event.id, other.id);
    const over: Partial<RedeliverCommand> = { delivery_ids: [id], test: true };

    await redeliver('replay', over);
    await engine.passUntil(engine.now() + 1000);

    expect(await engine.delivery(id)).toMatchObject({ status: 'delivered', test: true });
    expect(engine.posts[1]?.headers).toHaveProperty('x-passpost-test');
  });
});

describe('a delivery of an ordinary event', () => {
  const tables = useTables();

  it('has no mark in its row and no header x-passpost-test', async () => {
    const { engine, row } = await startRedelivery(tables, () => accepted);

    expect(await row()).not.toHaveProperty('test');
    expect(engine.posts[0]?.headers).not.toHaveProperty('x-passpost-test');
  });
});
