import { describe, expect, it } from 'vitest';
import { until, useStacks } from '../recorder.ts';

describe('a queue of the local stack whose messages have groups (an SQS fair queue)', () => {
  const start = useStacks();

  /** Starts a stack whose function finishes a batch only when `finish` is called. Three batches of ten run at once. */
  const startHeld = async () => {
    const run = await start({ visibilityTimeoutSeconds: 60 });
    const held: (() => void)[] = [];
    run.recorder.onQueue = () => new Promise((done) => held.push(() => done({ batchItemFailures: [] })));
    const { queueBatches } = run.recorder;
    return {
      send: async (count: number, body: string, group?: string) => {
        for (let left = count; left > 0; left -= 10) {
          const entry = { MessageBody: body, ...(group ? { MessageGroupId: group } : {}) };
          await run.send(...Array.from({ length: Math.min(left, 10) }, () => entry));
        }
      },
      batches: queueBatches,
      untilBatches: (count: number) => until(() => queueBatches.length === count),
      finish: () => held.shift()?.(),
      finishAll: async () => {
        run.recorder.onQueue = () => ({ batchItemFailures: [] });
        for (const finish of held) finish();
        await run.stack.settled();
      },
    };
  };
  const bodies = (batch: readonly { body: string }[] | undefined) => batch?.map(({ body }) => body).toSorted();
  const times = (count: number, body: string): string[] => Array(count).fill(body);

  it('returns the messages of other groups and messages without a group before the backlog of a group with 30 messages in flight', async () => {
    const { send, batches, untilBatches, finish, finishAll } = await startHeld();
    await send(60, 'noisy', 'busy-account');
    await untilBatches(3);
    await send(8, 'quiet', 'other-account');
    await send(1, 'no group');

    finish();
    await untilBatches(4);

    expect(bodies(batches[3])).toEqual(['no group', 'noisy', ...times(8, 'quiet')]);
    expect(batches[3]?.find(({ body }) => body === 'quiet')?.attributes.MessageGroupId).toBe('other-account');
    await finishAll();
    expect(batches.flat()).toHaveLength(69);
  });

  it('returns messages in the order in which they were sent while no group has 30 messages in flight', async () => {
    const { send, batches, untilBatches, finish, finishAll } = await startHeld();
    await send(20, 'first', 'a');
    await send(10, 'second', 'b');
    await untilBatches(3);
    await send(10, 'third', 'a');
    await send(10, 'fourth', 'c');

    finish();
    await untilBatches(4);

    expect(bodies(batches[3])).toEqual(times(10, 'third'));
    await finishAll();
  });

  it('returns messages of a group in the order in which they were sent again after the backlog of the group is gone', async () => {
    const { send, batches, untilBatches, finish, finishAll } = await startHeld();
    await send(30, 'noisy', 'busy-account');
    await untilBatches(3);
    finish();
    finish();
    await send(10, 'a few', 'busy-account');
    await send(10, 'quiet', 'other-account');
    await untilBatches(5);
    await send(10, 'later', 'busy-account');
    await send(10, 'last', 'other-account');

    finish();
    await untilBatches(6);

    expect(bodies(batches[5])).toEqual(times(10, 'later'));
    await finishAll();
  });
});
