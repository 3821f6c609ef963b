import { describe, expect, it, vi } from 'vitest';
import type { AwsAnswer } from '../../local/wiring/interceptor.ts';
import { run } from '../../ops/run.ts';
import { useWholeStack } from '../helpers/whole-stack.ts';

const SOON = { timeout: 8000 };
const refused: AwsAnswer = {
  status: 400,
  body: { __type: 'com.amazonaws.dynamodb.v20120810#ValidationException', message: 'Item size has exceeded' },
};

describe('a published event whose delivery rows the table refuses, on the whole stack', () => {
  const whole = useWholeStack({ speed: 60 });
  const redriveFailures = async () =>
    JSON.parse(await run(['redrive-failures', '--all', '--local', '--json'], whole.stack.dataFolder));

  // Before, the batch came back for 24 hours, and then the stream dropped all its records without a word.
  it('is put aside while twenty events of its account are delivered; redrive-failures leaves it while it is refused, and then delivers it once', async () => {
    const client = await whole.newClient();
    const webhook = await client.addWebhook(() => 200, { events: ['task.accepted', 'pass.voided'] });
    const fault = whole.faults.inject(
      {
        functionName: 'fan-out',
        operation: 'BatchExecuteStatement',
        when: ({ input }) => JSON.stringify(input).includes('pass.voided'),
      },
      refused,
    );

    await Promise.all([client.publish(10), client.publish(1, 'pass.voided'), client.publish(10)]);
    await client.settled(webhook, 20, 5000);
    await vi.waitFor(() => expect(whole.stack.depth('failures').visible).toBe(1), SOON);
    const { reason, record } = JSON.parse(whole.stack.peek('failures')[0]?.body ?? '{}');
    const stillRefused = await redriveFailures();
    const kept = whole.stack.depth('failures').visible;
    fault.end();
    const carriedOut = await redriveFailures();
    const all = await client.settled(webhook, 21, 5000);

    expect(reason).toBe('the change was refused with ValidationException');
    expect(record.dynamodb.NewImage.type.S).toBe('pass.voided');
    expect([stillRefused.carried_out, stillRefused.left, kept]).toEqual([0, 1, 1]);
    expect(stillRefused.results[0].left_because).toContain('ValidationException');
    expect([carriedOut.carried_out, whole.stack.depth('failures').visible]).toEqual([1, 0]);
    expect(all.filter(({ event_type }) => event_type === 'pass.voided').map(({ status }) => status)).toEqual([
      'delivered',
    ]);
    expect(webhook.posts).toHaveLength(21);
  });

  it('stays in the stream while the table is throttled, and no message is put aside', async () => {
    const client = await whole.newClient();
    const webhook = await client.addWebhook(() => 200);
    const throttle = {
      status: 400,
      body: { __type: 'com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException', message: 'slow down' },
    };
    const fault = whole.faults.inject({ functionName: 'fan-out', operation: 'BatchExecuteStatement' }, throttle);

    await client.publish(3);
    await vi.waitFor(() => expect(fault.hits).toBeGreaterThan(0), SOON);
    fault.end();

    await client.settled(webhook, 3, 20_000);
    expect(whole.stack.depth('failures').visible).toBe(0);
  });
});
