import { describe, expect, it, vi } from 'vitest';
import { createRateLimits } from '../../lambdas/adapters/sending/rate-limits.ts';
import { drawId } from '../../lambdas/domain/foundation/id.ts';
import { useTables } from '../helpers/tables.ts';
import { anEvent, aWebhook, createVirtualEngine } from '../helpers/virtual-engine.ts';

describe('a webhook’s own bounds', () => {
  const tables = useTables();

  it('sends no faster than max_per_second, over minutes, and everything in the end', async () => {
    const engine = createVirtualEngine(tables, () => ({ status: 200 }));
    await engine.addWebhooks(aWebhook({ max_per_second: 2 }));
    const startMs = engine.now();
    await engine.publish(...Array.from({ length: 120 }, () => anEvent({}, engine.now())));

    await engine.passUntil(startMs + 300_000);

    const bySecond = Map.groupBy(engine.posts, ({ atMs }) => Math.floor((atMs - startMs) / 1000));
    expect(engine.posts).toHaveLength(120);
    // A queue's delays are whole seconds, so a slot may be met up to a second late, together with the next one's.
    expect(Math.max(...[...bySecond.values()].map((posts) => posts.length))).toBeLessThanOrEqual(4);
    expect((engine.posts.at(-1)?.atMs ?? 0) - startMs).toBeGreaterThanOrEqual(59_000);
  });

  // With slots a moment apart each was asked for itself, and a receiver that stalled had all of the batch.
  it('is asked as carefully as any other while nobody knows it', async () => {
    const { promise: stalled, resolve } = Promise.withResolvers<{ status: number }>();
    const engine = createVirtualEngine(tables, () => stalled);
    await engine.addWebhooks(aWebhook({ max_per_second: 1000 }));
    await engine.publish(...Array.from({ length: 10 }, () => anEvent({}, engine.now())));

    const delivering = engine.deliver([...engine.messages].slice(0, 10));
    await vi.waitFor(() => expect(engine.messages.size).toBe(18));
    const asked = engine.posts.length;
    resolve({ status: 200 });
    await delivering;

    expect(asked).toBe(2);
    expect(engine.outcomes.filter(({ outcome }) => outcome === 'forwarded')).toHaveLength(8);
  });

  it('parks a slot that the queue cannot carry', async () => {
    const engine = createVirtualEngine(tables, () => ({ status: 200 }));
    const webhook = aWebhook({ max_per_second: 1 });
    await engine.addWebhooks(webhook);
    const startMs = engine.now();
    await createRateLimits(tables.client, tables.deliveryTable).reserveSlots(webhook.id, 2000, 1000, startMs);
    await engine.publish(anEvent({}, engine.now()));

    await engine.passUntil(startMs + 1_990_000);
    const before = engine.posts.length;
    await engine.passUntil(startMs + 2_010_000);

    expect([before, engine.posts.length]).toEqual([0, 1]);
  });

  it('has no more than max_in_flight at once', async () => {
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

  it('gives back a lease whose holder died', async () => {
    const rows = createRateLimits(tables.client, tables.deliveryTable);
    const webhookId = drawId('whk', Date.now());
    const first = await rows.takeLeases(webhookId, 2, 5, 1000, 16_000);

    const full = await rows.takeLeases(webhookId, 2, 1, 15_999, 31_000);
    const free = await rows.takeLeases(webhookId, 2, 5, 16_000, 31_000);
    await rows.returnLeases(webhookId, free);
    const again = await rows.takeLeases(webhookId, 2, 1, 16_001, 31_000);

    expect([first.length, full.length, free.length, again.length]).toEqual([2, 0, 2, 1]);
  });

  // What was delivered counted as a failure of ours besides, and came back.
  it('delivers although its leases cannot be given back', async () => {
    const engine = createVirtualEngine(tables, () => ({ status: 200 }));
    await engine.addWebhooks(aWebhook({ max_in_flight: 2 }));
    await engine.publish(anEvent({}, engine.now()));
    const returnLeases = () => Promise.reject(new Error('the table throttles'));

    await engine.deliver([...engine.messages], { store: { ...engine.store, returnLeases } });

    expect(engine.outcomes.map(({ outcome }) => outcome)).toEqual(['delivered']);
    expect(engine.messages.size).toBe(0);
  });

  // Recorded for its slot and come back as well, it was sent twice.
  it('comes back for want of leases only where it had its turn', async () => {
    const engine = createVirtualEngine(tables, () => ({ status: 200 }));
    await engine.addWebhooks(aWebhook({ max_per_second: 1, max_in_flight: 2 }));
    await engine.publish(...Array.from({ length: 5 }, () => anEvent({}, engine.now())));
    const takeLeases = () => Promise.reject(new Error('the table throttles'));

    await engine.deliver([...engine.messages], { store: { ...engine.store, takeLeases } });

    const became = Map.groupBy(engine.outcomes, ({ messageId }) => messageId);
    expect([...became.values()].map((own) => own.map(({ outcome }) => outcome)).toSorted()).toEqual([
      ['failed'],
      ['failed'],
      ['paced'],
      ['paced'],
      ['paced'],
    ]);
  });

  it('lets racers have no more leases than there are', async () => {
    const rows = createRateLimits(tables.client, tables.deliveryTable);
    const webhookId = drawId('whk', Date.now());

    const taken = await Promise.all(Array.from({ length: 6 }, () => rows.takeLeases(webhookId, 4, 2, 1000, 2000)));

    expect(taken.flat().length).toBeLessThanOrEqual(4);
    expect(new Set(taken.flat()).size).toBe(taken.flat().length);
  });
});
