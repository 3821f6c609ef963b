import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { until, useStacks } from '../recorder.ts';

describe('a queue’s mapping', () => {
  const start = useStacks();

  it('carries messages in batches and removes what is done', async () => {
    const { stack, recorder, send } = await start();

    await send(...Array.from({ length: 10 }, (_, i) => ({ MessageBody: `m${i}` })));
    await stack.settled();

    expect(recorder.queueBatches.flat().map(({ body }) => body)).toHaveLength(10);
    expect(recorder.queueBatches[0]?.[0]?.attributes).toMatchObject({ ApproximateReceiveCount: '1' });
    expect(stack.depth('work')).toEqual({ visible: 0, inFlight: 0, delayed: 0 });
  });

  it('delays a message and says no to more than 900 s', async () => {
    const { stack, recorder, send } = await start();

    const answer = await send({ MessageBody: 'later', DelaySeconds: 1 }, { MessageBody: 'never', DelaySeconds: 901 });
    const sentMs = Date.now();
    await until(() => recorder.queueBatches.length === 1);

    expect(answer).toMatchObject({ body: { Failed: [{ Code: 'InvalidParameterValue' }] } });
    expect(Date.now() - sentMs).toBeGreaterThan(900);
    expect(recorder.queueBatches.flat().map(({ body }) => body)).toEqual(['later']);
    await stack.settled();
  });

  it('shows failed messages again, then moves them to the dead letters', async () => {
    const { stack, recorder, send } = await start({ visibilityTimeoutSeconds: 0.3 });
    recorder.onQueue = (batch) => ({
      batchItemFailures: batch.filter(({ body }) => body === 'bad').map((one) => ({ itemIdentifier: one.messageId })),
    });

    await send({ MessageBody: 'good' }, { MessageBody: 'bad' });
    await until(() => stack.depth('dead-letters').visible === 1);

    const tries = recorder.queueBatches.flat().map(({ body }) => body);
    expect(tries.filter((body) => body === 'good')).toHaveLength(1);
    expect(tries.filter((body) => body === 'bad')).toHaveLength(2);
    expect(stack.peek('dead-letters').map(({ body }) => body)).toEqual(['bad']);
  });

  it.each([
    ['misspelt', [{ itemIdentifier: 'no-such-message' }]],
    ['empty', [{ itemIdentifier: '' }]],
    ['missing', [{}]],
  ])('takes the whole batch as failed where an id is %s', async (_, batchItemFailures) => {
    const { recorder, send } = await start({ visibilityTimeoutSeconds: 0.2 });
    recorder.onQueue = () => ({ batchItemFailures });

    await send({ MessageBody: 'a' }, { MessageBody: 'b' });
    await until(() => recorder.queueBatches.flat().length === 4);

    expect(recorder.queueBatches.flat().map(({ body }) => body)).toEqual(['a', 'b', 'a', 'b']);
  });

  it('keeps to the mapping’s greatest concurrency', async () => {
    const { stack, recorder, send } = await start();
    let running = 0;
    let most = 0;
    recorder.onQueue = async () => {
      most = Math.max(most, ++running);
      await sleep(60);
      running--;
      return {};
    };

    for (let i = 0; i < 12; i++) await send({ MessageBody: String(i) });
    await stack.settled();

    expect(recorder.queueBatches.flat()).toHaveLength(12);
    expect(most).toBeGreaterThan(1);
    expect(most).toBeLessThanOrEqual(3);
  });

  it('picks up a lone message at once', async () => {
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

  it('keeps what waits over a restart, and nothing after a fresh one', async () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'passpost-test-'));
    const first = await start({ dataDir });
    await first.send({ MessageBody: 'kept', DelaySeconds: 600 });
    await first.stack.stop();

    const second = await start({ dataDir });
    const kept = second.stack.peek('work').map(({ body }) => body);
    await second.stack.stop();
    const third = await start({ dataDir, fresh: true });

    expect(kept).toEqual(['kept']);
    expect(second.stack.operatorKey).toBe(first.stack.operatorKey);
    expect(third.stack.peek('work')).toEqual([]);
    expect(third.stack.operatorKey).not.toBe(first.stack.operatorKey);
    await third.stack.stop();
    rmSync(dataDir, { recursive: true });
  });
});
