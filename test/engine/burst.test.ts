import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { createLaneMemory } from '../../lambdas/domain/sending/slow-lane.ts';
import { useTables } from '../helpers/tables.ts';
import { type Answering, anEvent, aWebhook, createVirtualEngine } from '../helpers/virtual-engine.ts';

describe('a burst for a webhook that nobody knows', () => {
  const tables = useTables();

  const start = async (answer: Answering) => {
    const engine = createVirtualEngine(tables, answer);
    await engine.addWebhooks(aWebhook());
    await engine.publish(...Array.from({ length: 50 }, () => anEvent({}, engine.now())));
    return engine;
  };

  /** As many invocations as there are batches of ten, all at once, each in an instance that knows nothing yet. */
  const deliverAtOnce = (engine: Awaited<ReturnType<typeof start>>): Promise<void>[] => {
    const messages = [...engine.messages];
    const batches = Array.from({ length: messages.length / 10 }, (_, i) => messages.slice(i * 10, i * 10 + 10));
    const startMs = engine.now();
    const beganMs = Date.now();
    const own = { wait: sleep, clock: () => startMs + Date.now() - beganMs };
    return batches.map((batch) => engine.deliver(batch, { ...own, memory: createLaneMemory() }));
  };

  it('takes one invocation, and two requests, from a receiver that stalls', async () => {
    const { promise: stalled, resolve: answer } = Promise.withResolvers<object>();
    const engine = await start(() => stalled);
    const invocations = deliverAtOnce(engine);

    let finished = 0;
    for (const invocation of invocations) void invocation.then(() => finished++);
    await expect.poll(() => finished, { timeout: 5000 }).toBe(4);

    expect(invocations).toHaveLength(5);
    expect(engine.posts).toHaveLength(2);
    answer({});
    await Promise.all(invocations);
    expect(engine.messages.size).toBeGreaterThanOrEqual(40);
  });

  it('is delivered by all invocations at once when the first answers are quick', async () => {
    const engine = await start(() => ({}));

    await Promise.all(deliverAtOnce(engine));

    expect(engine.posts).toHaveLength(50);
    expect(engine.messages.size).toBe(0);
  });
});
