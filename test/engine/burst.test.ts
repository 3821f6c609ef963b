import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { createLaneMemory } from '../../lambdas/domain/sending/slow-lane.ts';
import { useTables } from '../helpers/tables.ts';
import { type Answering, anEvent, aWebhook, createVirtualEngine } from '../helpers/virtual-engine.ts';

describe('50 events for a webhook of unknown speed, in 5 concurrent invocations of 10 messages', () => {
  const tables = useTables();

  const start = async (answer: Answering) => {
    const engine = createVirtualEngine(tables, answer);
    await engine.addWebhooks(aWebhook());
    await engine.publish(...Array.from({ length: 50 }, () => anEvent({}, engine.now())));
    return engine;
  };

  /** Delivers batches of ten at the same time, each in a new function instance. */
  const deliverConcurrently = (engine: Awaited<ReturnType<typeof start>>): Promise<void>[] => {
    const messages = [...engine.messages];
    const batches = Array.from({ length: messages.length / 10 }, (_, i) => messages.slice(i * 10, i * 10 + 10));
    const startMs = engine.now();
    const realStartMs = Date.now();
    const realTime = { wait: sleep, clock: () => startMs + Date.now() - realStartMs };
    return batches.map((batch) => engine.deliver(batch, { ...realTime, memory: createLaneMemory() }));
  };

  it('cause 2 POSTs while the receiver does not answer, and 4 of the 5 invocations end meanwhile', async () => {
    const { promise: stalled, resolve: answer } = Promise.withResolvers<object>();
    const engine = await start(() => stalled);
    const invocations = deliverConcurrently(engine);

    let finished = 0;
    for (const invocation of invocations) void invocation.then(() => finished++);
    await expect.poll(() => finished, { timeout: 5000 }).toBe(4);

    expect(invocations).toHaveLength(5);
    expect(engine.posts).toHaveLength(2);
    answer({});
    await Promise.all(invocations);
    expect(engine.messages.size).toBeGreaterThanOrEqual(40);
  });

  it('cause 50 POSTs and leave no message in the queue if the receiver answers immediately', async () => {
    const engine = await start(() => ({}));

    await Promise.all(deliverConcurrently(engine));

    expect(engine.posts).toHaveLength(50);
    expect(engine.messages.size).toBe(0);
  });
});
