import { describe, expect, it, vi } from 'vitest';
import { createRateLimits } from '../../lambdas/adapters/sending/rate-limits.ts';
import { drawId } from '../../lambdas/domain/foundation/id.ts';
import { useTables } from '../helpers/tables.ts';
import { anEvent, aWebhook, createVirtualEngine } from '../helpers/virtual-engine.ts';

describe('max_per_second and max_in_flight of a webhook', () => {
  const tables = useTables();

  it('120 deliveries with max_per_second 2 are all sent, in 59 s or more and at most 4 in any second', async () => {
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

  // Before a fix, deliveries with slots a moment apart were each probed alone, so that a slow receiver got the whole batch.
  it('10 messages for a webhook of unknown speed that does not answer make 2 POSTs, and 8 are forwarded to the slow lane', async () => {
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

  it('with max_per_second 1 and 2,000 slots reserved, a delivery is sent between 1,990 s and 2,010 s later', async () => {
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

  it('20 deliveries with max_in_flight 3 are all sent, and the most requests at the same time are exactly 3', async () => {
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

  it('takeLeases with max_in_flight 2 gives two of five wanted leases, none until 1 ms before these expire, two at their expiry, and one more after those are returned', async () => {
    const limits = createRateLimits(tables.client, tables.deliveryTable);
    const webhookId = drawId('whk', Date.now());
    const first = await limits.takeLeases(webhookId, 2, 5, 1000, 16_000);

    const full = await limits.takeLeases(webhookId, 2, 1, 15_999, 31_000);
    const free = await limits.takeLeases(webhookId, 2, 5, 16_000, 31_000);
    await limits.returnLeases(webhookId, free);
    const again = await limits.takeLeases(webhookId, 2, 1, 16_001, 31_000);

    expect([first.length, full.length, free.length, again.length]).toEqual([2, 0, 2, 1]);
  });

  // Before a fix, the delivered message also failed, so that the queue delivered the message again.
  it('if returnLeases throws, a delivery with max_in_flight 2 has the outcome delivered, and its message leaves the queue', async () => {
    const engine = createVirtualEngine(tables, () => ({ status: 200 }));
    await engine.addWebhooks(aWebhook({ max_in_flight: 2 }));
    await engine.publish(anEvent({}, engine.now()));
    const returnLeases = () => Promise.reject(new Error('the table throttles'));

    await engine.deliver([...engine.messages], { store: { ...engine.store, returnLeases } });

    expect(engine.outcomes.map(({ outcome }) => outcome)).toEqual(['delivered']);
    expect(engine.messages.size).toBe(0);
  });

  // Before a fix, a delivery that was recorded with a later slot also failed, so that the delivery was sent twice.
  it('if takeLeases throws for 5 messages with max_per_second 1, the 2 that are due fail and the 3 with later slots are paced', async () => {
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

  it('six concurrent takeLeases of 2 leases each with limit 4 get at most 4 leases in all, and no lease twice', async () => {
    const limits = createRateLimits(tables.client, tables.deliveryTable);
    const webhookId = drawId('whk', Date.now());

    const taken = await Promise.all(Array.from({ length: 6 }, () => limits.takeLeases(webhookId, 4, 2, 1000, 2000)));

    expect(taken.flat().length).toBeLessThanOrEqual(4);
    expect(new Set(taken.flat()).size).toBe(taken.flat().length);
  });
});
