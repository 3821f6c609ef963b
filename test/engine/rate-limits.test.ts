import { describe, expect, it, vi } from 'vitest';
import { createRateLimits } from '../../lambdas/adapters/sending/rate-limits.ts';
import { drawId } from '../../lambdas/domain/foundation/id.ts';
import { useTables } from '../helpers/tables.ts';
import { anEvent, aWebhook, createVirtualEngine } from '../helpers/virtual-engine.ts';

describe('max_per_second and max_in_flight of a webhook', () => {
  const tables = useTables();

  it('120 deliveries are sent no faster than max_per_second, and all are sent', async () => {
    const engine = createVirtualEngine(tables, () => ({ status: 200 }));
    await engine.addWebhooks(aWebhook({ max_per_second: 2 }));
    const startMs = engine.now();
    await engine.publish(...Array.from({ length: 120 }, () => anEvent({}, engine.now())));

    await engine.passUntil(startMs + 300_000);

    const bySecond = Map.groupBy(engine.posts, ({ atMs }) => Math.floor((atMs - startMs) / 1000));
    expect(engine.posts).toHaveLength(120);
    // Queue delays are whole seconds, so that a delivery may be up to a second late and meet the next second's deliveries.
    expect(Math.max(...[...bySecond.values()].map((posts) => posts.length))).toBeLessThanOrEqual(4);
    expect((engine.posts.at(-1)?.atMs ?? 0) - startMs).toBeGreaterThanOrEqual(59_000);
  });

  // Deliveries with slots a moment apart were each probed alone, so that a slow receiver got the whole batch.
  it('an unknown webhook with max_per_second gets only two requests while it does not answer', async () => {
    const { promise: stalled, resolve } = Promise.withResolvers<{ status: number }>();
    const engine = createVirtualEngine(tables, () => stalled);
    await engine.addWebhooks(aWebhook({ max_per_second: 1000 }));
    await engine.publish(...Array.from({ length: 10 }, () => anEvent({}, engine.now())));

    const delivering = engine.deliver([...engine.messages].slice(0, 10));
    await vi.waitFor(() => expect(engine.messages.size).toBe(18));
    const postsBeforeAnswer = engine.posts.length;
    resolve({ status: 200 });
    await delivering;

    expect(postsBeforeAnswer).toBe(2);
    expect(engine.outcomes.filter(({ outcome }) => outcome === 'forwarded')).toHaveLength(8);
  });

  it('a delivery is parked when its slot is too late for the queue', async () => {
    const engine = createVirtualEngine(tables, () => ({ status: 200 }));
    const webhook = aWebhook({ max_per_second: 1 });
    await engine.addWebhooks(webhook);
    const startMs = engine.now();
    await createRateLimits(tables.client, tables.deliveryTable).reserveSlots(webhook.id, 2000, 1000, startMs);
    await engine.publish(anEvent({}, engine.now()));

    await engine.passUntil(startMs + 1_990_000);
    const postsBefore = engine.posts.length;
    await engine.passUntil(startMs + 2_010_000);

    expect([postsBefore, engine.posts.length]).toEqual([0, 1]);
  });

  it('no more requests than max_in_flight run at the same time', async () => {
    let inFlight = 0;
    let most = 0;
    const engine = createVirtualEngine(tables, async () => {
      inFlight++;
      most = Math.max(most, inFlight);
      await new Promise((resolve) => setTimeout(resolve, 5));
      inFlight--;
      return { status: 200 };
    });
    await engine.addWebhooks(aWebhook({ max_in_flight: 3 }));
    await engine.publish(...Array.from({ length: 20 }, () => anEvent({}, engine.now())));

    await engine.passUntil(engine.now() + 300_000);

    expect(engine.posts).toHaveLength(20);
    expect(most).toBe(3);
  });

  it('a lease whose holder died becomes free at its end', async () => {
    const limits = createRateLimits(tables.client, tables.deliveryTable);
    const webhookId = drawId('whk', Date.now());
    const first = await limits.takeLeases(webhookId, 2, 5, 1000, 16_000);

    const full = await limits.takeLeases(webhookId, 2, 1, 15_999, 31_000);
    const free = await limits.takeLeases(webhookId, 2, 5, 16_000, 31_000);
    await limits.returnLeases(webhookId, free);
    const again = await limits.takeLeases(webhookId, 2, 1, 16_001, 31_000);

    expect([first.length, full.length, free.length, again.length]).toEqual([2, 0, 2, 1]);
  });

  // The delivered message also failed, so that the queue handed it out again.
  it('a delivery is delivered although its lease cannot be returned', async () => {
    const engine = createVirtualEngine(tables, () => ({ status: 200 }));
    await engine.addWebhooks(aWebhook({ max_in_flight: 2 }));
    await engine.publish(anEvent({}, engine.now()));
    const returnLeases = () => Promise.reject(new Error('the table throttles'));

    await engine.deliver([...engine.messages], { store: { ...engine.store, returnLeases } });

    expect(engine.outcomes.map(({ outcome }) => outcome)).toEqual(['delivered']);
    expect(engine.messages.size).toBe(0);
  });

  // A delivery that was recorded with its slot also failed, so that it was sent twice.
  it('if leases cannot be taken, only messages due now fail and the others keep their later slot', async () => {
    const engine = createVirtualEngine(tables, () => ({ status: 200 }));
    await engine.addWebhooks(aWebhook({ max_per_second: 1, max_in_flight: 2 }));
    await engine.publish(...Array.from({ length: 5 }, () => anEvent({}, engine.now())));
    const takeLeases = () => Promise.reject(new Error('the table throttles'));

    await engine.deliver([...engine.messages], { store: { ...engine.store, takeLeases } });

    const byMessage = Map.groupBy(engine.outcomes, ({ messageId }) => messageId);
    expect([...byMessage.values()].map((outcomes) => outcomes.map(({ outcome }) => outcome)).toSorted()).toEqual([
      ['failed'],
      ['failed'],
      ['paced'],
      ['paced'],
      ['paced'],
    ]);
  });

  it('concurrent requests for leases get no more than the limit', async () => {
    const limits = createRateLimits(tables.client, tables.deliveryTable);
    const webhookId = drawId('whk', Date.now());

    const taken = await Promise.all(Array.from({ length: 6 }, () => limits.takeLeases(webhookId, 4, 2, 1000, 2000)));

    expect(taken.flat().length).toBeLessThanOrEqual(4);
    expect(new Set(taken.flat()).size).toBe(taken.flat().length);
  });
});
