import { afterEach, describe, expect, it } from 'vitest';
import { deliveryId } from '../../lambdas/domain/foundation/id.ts';
import type { StoredWebhook } from '../../lambdas/domain/webhooks/webhook.ts';
import { forgetAccounts, startRolled } from '../helpers/roll-up.ts';
import { useTables } from '../helpers/tables.ts';
import { type Answering, anEvent, aWebhook } from '../helpers/virtual-engine.ts';

const refused = { status: 500 };
const accepted = { status: 200 };
const MINUTE = 1 / 60;

describe('the hourly roll-up, in virtual time', () => {
  const tables = useTables();
  afterEach(() => forgetAccounts(tables));

  const start = (...options: [Answering?, StoredWebhook?]) => startRolled(tables, ...options);

  it('15 minutes after an hour ends (not after 12), resends its 3 lost first messages, and the deliveries are delivered', async () => {
    const { engine, publish, statuses } = await start();
    const ids = await publish(3);
    engine.purge();

    await engine.passHours(1.2);
    await engine.tick();
    await engine.passHours(1.24);
    expect(await statuses(ids)).toEqual(['pending', 'pending', 'pending']);
    await engine.passHours(1.25);
    const { resent } = await engine.tick();
    await engine.passHours(1.3);

    expect(resent).toBe(3);
    expect(await statuses(ids)).toEqual(['delivered', 'delivered', 'delivered']);
    expect(engine.posts).toHaveLength(3);
  });

  it('resends a first message that was lost twice in the tick 1 h after the hour’s end, not in the tick 54 minutes after it', async () => {
    const { engine, publish, statuses } = await start();
    const ids = await publish();
    engine.purge();
    await engine.passHours(1.25);
    await engine.tick();
    engine.purge();

    await engine.passHours(1.9);
    const early = await engine.tick();
    await engine.passHours(2);
    await engine.tick();
    await engine.passHours(2.1);

    expect(early.resent).toBe(0);
    expect(await statuses(ids)).toEqual(['delivered']);
  });

  it('does not resend a delivery that waits for its retry in the due index: resent is 0, and the queue stays empty', async () => {
    const { engine, publish } = await start(() => refused, aWebhook({ schedule: [7200] }));
    await publish();
    await engine.passHours(1.05);
    engine.purge();

    await engine.passHours(1.25);
    const { resent } = await engine.tick();

    expect(resent).toBe(0);
    expect(engine.messages.size).toBe(0);
  });

  it('releases no held delivery of a disabled webhook; when the webhook is enabled and the release command is lost, it releases both held deliveries', async () => {
    const webhook = aWebhook({ enabled: false });
    const { engine, publish, statuses } = await start(() => accepted, webhook);
    const ids = await publish(2);
    await engine.passHours(0.1);
    await engine.passHours(1.25);
    const whileDisabled = await engine.tick();
    expect(await statuses(ids)).toEqual(['held', 'held']);

    // The webhook is enabled, but no command releases its deliveries.
    await engine.putWebhook({ ...webhook, enabled: true });
    await engine.passHours(2);
    const { resumed } = await engine.tick();
    await engine.passHours(2.1);

    expect([whileDisabled.resumed, resumed]).toEqual([0, 2]);
    expect(await statuses(ids)).toEqual(['delivered', 'delivered']);
  });

  it('cancels the held delivery of a deleted webhook without a POST', async () => {
    const webhook = aWebhook({ enabled: false });
    const { engine, publish, statuses } = await start(() => accepted, webhook);
    const ids = await publish();
    await engine.passHours(1);
    await engine.putWebhook({ ...webhook, deleted_at: new Date(engine.now()).toISOString() });

    await engine.passHours(1.25);
    await engine.tick();
    await engine.passHours(1.3);

    expect(await statuses(ids)).toEqual(['cancelled']);
    expect(engine.posts).toHaveLength(0);
  });

  it('counts an hour with an open delivery again, and plans no further reading when the delivery is delivered', async () => {
    // The attempts at minutes 0, 1, 6 and 21 are refused; the attempt at minute 81 is delivered.
    const { engine, webhook, publish } = await start((_, number) => (number < 5 ? refused : accepted));
    await publish();
    await engine.passHours(1.25);
    await engine.tick();
    const [first] = await engine.hours(webhook.id);
    await engine.passHours(2);
    await engine.tick();
    const [second] = await engine.hours(webhook.id);

    expect(first).toMatchObject({ deliveries: 1, delivered: 0, refused: 4, dead: 0, open: 1 });
    expect(first).toMatchObject({ due_pk: expect.stringMatching(/^H#/), due_at: engine.startMs + 2 * 3_600_000 });
    expect(second).toMatchObject({ deliveries: 1, delivered: 1, refused: 4, dead: 0, open: 0 });
    expect(second?.last_success_at).toBeGreaterThan(Number(second?.last_failure_at));
    expect(second).not.toHaveProperty('due_pk');
  });

  it('writes no count for a webhook without deliveries in 8 hours, and advances the progress by 8 hours', async () => {
    const { engine, webhook } = await start();
    await engine.passHours(9);
    const writes: string[] = [];

    await engine.tick({
      put: async (webhookId) => void writes.push(webhookId),
      close: async (webhookId) => void writes.push(webhookId),
    });

    expect(writes).not.toContain(webhook.id);
    expect((await engine.store.progress())?.progress.hourMs).toBe(engine.startMs + 8 * 3_600_000);
  });

  it('counts an hour again after its held delivery was released: 1 delivered, 0 open', async () => {
    const webhook = aWebhook({ enabled: false });
    const { engine, publish } = await start(() => accepted, webhook);
    await publish();
    await engine.passHours(0.1);
    await engine.passHours(6);
    await engine.tick();

    await engine.putWebhook({ ...webhook, enabled: true });
    const release = { id: 'resume', type: 'release' as const, owner: engine.owner, webhook_id: webhook.id };
    await engine.fanOut([{ kind: 'command', command: release }]);
    await engine.passHours(6.3);
    await engine.tick();

    expect(await engine.hours(webhook.id)).toMatchObject([{ delivered: 1, open: 0 }]);
  });

  it('counts an hour again after a manual retry of its dead delivery: 1 delivered and 0 dead instead of 0 and 1', async () => {
    const { engine, webhook, publish } = await start((_, number) => (number <= 6 ? refused : accepted));
    const [id = ''] = await publish();
    await engine.passHours(9);
    await engine.tick();
    const { event_id, event_type, owner } = await engine.delivery(id);
    const [before] = await engine.hours(webhook.id);

    const retry = { type: 'redeliver' as const, trigger: 'manual' as const, event_id, event_type, delivery_ids: [id] };
    await engine.fanOut([{ kind: 'command', command: { ...retry, id: 'again', owner } }]);
    await engine.passHours(9 + 16 * MINUTE);
    await engine.tick();
    const [after] = await engine.hours(webhook.id);

    expect(before).toMatchObject({ delivered: 0, dead: 1, refused: 6, open: 0 });
    expect(after).toMatchObject({ delivered: 1, dead: 0, refused: 6, open: 0 });
    expect(after).not.toHaveProperty('due_pk');
  });

  it('resends the lost first message of a delivery that was created after its hour was read, and it is delivered', async () => {
    const { engine, webhook, statuses } = await start();
    const late = anEvent({}, engine.now());
    await engine.passHours(6);
    await engine.tick();

    await engine.publish(late);
    engine.purge();
    await engine.passHours(6.3);
    await engine.tick();
    await engine.passHours(6.4);

    expect(await statuses([deliveryId(engine.startMs, late.id, webhook.id)])).toEqual(['delivered']);
  });
});
