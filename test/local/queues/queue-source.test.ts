import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { until, useStacks } from '../recorder.ts';

describe('an event source mapping of a queue on the local stack', () => {
  const start = useStacks();

  it('delivers ten messages, the first with receive count 1, and deletes them from the queue', async () => {
    const { stack, recorder, send } = await start();

    await send(...Array.from({ length: 10 }, (_, i) => ({ MessageBody: `m${i}` })));
    await stack.settled();

    expect(recorder.queueBatches.flat().map(({ body }) => body)).toHaveLength(10);
    expect(recorder.queueBatches[0]?.[0]?.attributes).toMatchObject({ ApproximateReceiveCount: '1' });
    expect(stack.depth('work')).toEqual({ visible: 0, inFlight: 0, delayed: 0 });
  });

  it('delivers a message with a delay of 1 s after 0.9 s or more, and never a message whose delay of 901 s was rejected', async () => {
    const { stack, recorder, send } = await start();

    const response = await send({ MessageBody: 'later', DelaySeconds: 1 }, { MessageBody: 'never', DelaySeconds: 901 });
    const sentMs = Date.now();
    await until(() => recorder.queueBatches.length === 1);

    expect(response).toMatchObject({ body: { Failed: [{ Code: 'InvalidParameterValue' }] } });
    expect(Date.now() - sentMs).toBeGreaterThan(900);
    expect(recorder.queueBatches.flat().map(({ body }) => body)).toEqual(['later']);
    await stack.settled();
  });

  it('delivers a failing message twice and moves it to the dead-letter queue, and delivers a successful message once', async () => {
    const { stack, recorder, send } = await start({ visibilityTimeoutSeconds: 0.3 });
    recorder.onQueue = (batch) => ({
      batchItemFailures: batch
        .filter(({ body }) => body === 'bad')
        .map(({ messageId }) => ({ itemIdentifier: messageId })),
    });

    await send({ MessageBody: 'good' }, { MessageBody: 'bad' });
    await until(() => stack.depth('dead-letters').visible === 1);

    const tries = recorder.queueBatches.flat().map(({ body }) => body);
    expect(tries.filter((body) => body === 'good')).toHaveLength(1);
    expect(tries.filter((body) => body === 'bad')).toHaveLength(2);
    expect(stack.peek('dead-letters').map(({ body }) => body)).toEqual(['bad']);
  });

  it.each([
    ['an id of no message', [{ itemIdentifier: 'no-such-message' }]],
    ['an empty id', [{ itemIdentifier: '' }]],
    ['no id', [{}]],
  ])(
    'delivers both messages of a batch again when the function reports a failure with %s',
    async (_, batchItemFailures) => {
      const { recorder, send } = await start({ visibilityTimeoutSeconds: 0.2 });
      recorder.onQueue = () => ({ batchItemFailures });

      await send({ MessageBody: 'a' }, { MessageBody: 'b' });
      await until(() => recorder.queueBatches.flat().length === 4);

      expect(recorder.queueBatches.flat().map(({ body }) => body)).toEqual(['a', 'b', 'a', 'b']);
    },
  );

  it('with a maximum concurrency of 3 runs more than one and at most three invocations at the same time', async () => {
    const { stack, recorder, send } = await start();
    let running = 0;
    let maxRunning = 0;
    const second = Promise.withResolvers<void>();
    recorder.onQueue = async () => {
      maxRunning = Math.max(maxRunning, ++running);
      // The first invocation waits for a second one, because a busy machine starts another environment late.
      if (maxRunning > 1) second.resolve();
      await second.promise;
      await sleep(60);
      running--;
      return {};
    };

    for (let i = 0; i < 12; i++) await send({ MessageBody: String(i) });
    await stack.settled();

    expect(recorder.queueBatches.flat()).toHaveLength(12);
    expect(maxRunning).toBeGreaterThan(1);
    expect(maxRunning).toBeLessThanOrEqual(3);
  });

  it('delivers the fastest of five single messages in less than 50 ms', async () => {
    const { recorder, send } = await start({ warm: true });

    const latencies: number[] = [];
    for (let i = 0; i < 5; i++) {
      const startMs = performance.now();
      recorder.onQueue = () => void latencies.push(performance.now() - startMs);
      await send({ MessageBody: 'lone' });
      await until(() => latencies.length === i + 1);
    }

    expect(Math.min(...latencies)).toBeLessThan(50);
  });

  it('the queue has the same message and the stack the same operator key after a restart; with fresh, the queue is empty and the key is new', async () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'passpost-test-'));
    const first = await start({ dataDir });
    await first.send({ MessageBody: 'waiting', DelaySeconds: 600 });
    await first.stack.stop();

    const second = await start({ dataDir });
    const restored = second.stack.peek('work').map(({ body }) => body);
    await second.stack.stop();
    const third = await start({ dataDir, fresh: true });

    expect(restored).toEqual(['waiting']);
    expect(second.stack.operatorKey).toBe(first.stack.operatorKey);
    expect(third.stack.peek('work')).toEqual([]);
    expect(third.stack.operatorKey).not.toBe(first.stack.operatorKey);
    await third.stack.stop();
    rmSync(dataDir, { recursive: true });
  });
});
