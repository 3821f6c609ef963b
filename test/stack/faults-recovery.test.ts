import { describe, expect, it, vi } from 'vitest';
import type { FaultKind } from '../helpers/faults.ts';
import type { Responder } from '../helpers/webhook-receiver.ts';
import { type Delivery, extraPosts, useWholeStack, type Webhook } from '../helpers/whole-stack.ts';

// At this speed the queue's longest delay is 3 s, five ticks a second look 2.6 s ahead, and a delivery is overdue after 12 s.
const SPEED = 300;
const SOON = { timeout: 8000 };
const OVERDUE_MS = 12_000;
const IN_QUEUE = [600];
const PARKED = [960];

const refusesOnce: Responder = ({ number }) => (number === 1 ? 500 : 200);

/** Delay of each second request after its due time. */
const latenessMs = ({ posts }: Webhook, deliveries: readonly Delivery[]): number[] =>
  deliveries.map(({ id, attempts }) => {
    const second = posts.find(({ deliveryId, number }) => deliveryId === id && number === 2);
    return (second?.atMs ?? Number.NaN) - Date.parse(attempts[1]?.due_at ?? '');
  });

const deliveredAtSecond = (count: number) => Array(count).fill(['delivered', 2]);
const outcomes = (deliveries: readonly Delivery[]) =>
  deliveries.map(({ status, attempts }) => [status, attempts.length]);

describe('waiting deliveries', () => {
  const whole = useWholeStack({ speed: SPEED, visibilityTimeoutSeconds: 2 });

  it('are retried less than 6 s after their due time although the due function is killed before and after it sends messages and writes rows', async () => {
    const client = await whole.newClient();
    const webhook = await client.addWebhook(refusesOnce, { schedule: PARKED });
    const inDue = (operation: string, kind: FaultKind) =>
      whole.faults.inject({ functionName: 'due', operation, times: 1 }, kind);
    const kills = [
      inDue('SendMessageBatch', 'kill before'),
      inDue('SendMessageBatch', 'kill after'),
      inDue('BatchExecuteStatement', 'kill before'),
      inDue('BatchExecuteStatement', 'kill after'),
    ];

    await client.publish(8);

    const deliveries = await client.settled(webhook, 8);
    expect(kills.map(({ hits }) => hits)).toEqual([1, 1, 1, 1]);
    expect(outcomes(deliveries)).toEqual(deliveredAtSecond(8));
    expect(Math.max(...extraPosts(webhook, deliveries))).toBeLessThanOrEqual(3);
    expect(Math.min(...latenessMs(webhook, deliveries))).toBeGreaterThanOrEqual(0);
    // The sweep of overdue deliveries would be much later.
    expect(Math.max(...latenessMs(webhook, deliveries))).toBeLessThan(6000);
  });

  it('are delivered by the sweep, 12 s after their due time, although every message was purged from the queue', async () => {
    const client = await whole.newClient();
    const firsts = Promise.withResolvers<void>();
    const refusesTogether: Responder = async ({ number }) => {
      if (number > 1) return 200;
      if (inQueue.posts.length + parked.posts.length === 4) firsts.resolve();
      await firsts.promise;
      return 500;
    };
    const inQueue = await client.addWebhook(refusesTogether, { schedule: IN_QUEUE });
    const parked = await client.addWebhook(refusesTogether, { schedule: PARKED });
    const purged = new Set<string>();
    const purging = whole.faults.inject(
      { functionName: /^(deliver|due)$/, operation: 'SendMessageBatch' },
      async ({ input }, forward) => {
        const answer = await forward();
        whole.stack.purge('all');
        for (const { MessageBody } of input.Entries as { MessageBody: string }[]) purged.add(MessageBody);
        return answer;
      },
    );

    await client.publish(2);
    await vi.waitFor(() => expect(purged.size).toBe(4), SOON);
    await whole.stack.settled();
    purging.end();
    const depth = whole.stack.depth('deliveries');
    for (const webhook of [inQueue, parked]) {
      for (const { next_attempt_at } of await client.deliveries(webhook)) {
        await whole.stack.tick(new Date(Date.parse(next_attempt_at ?? '') + OVERDUE_MS));
      }
    }

    expect(depth).toEqual({ visible: 0, inFlight: 0, delayed: 0 });
    for (const webhook of [inQueue, parked]) {
      expect(outcomes(await client.settled(webhook, 2, 6000))).toEqual(deliveredAtSecond(2));
    }
  });

  it('that are held are delivered once after PATCH enables their webhook, although the fan-out is killed before it sends their messages', async () => {
    const client = await whole.newClient();
    const webhook = await client.addWebhook(() => 200, { enabled: false });
    await client.publish(3);
    await vi.waitFor(async () => {
      const deliveries = await client.deliveries(webhook);
      expect(deliveries.map(({ status }) => status)).toEqual(['held', 'held', 'held']);
    }, SOON);
    const kill = whole.faults.inject(
      { functionName: 'fan-out', operation: 'BatchExecuteStatement', times: 1 },
      'kill after',
    );

    await client.call('PATCH', `/webhooks/${webhook.id}`, { enabled: true });
    await vi.waitFor(() => expect(kill.hits).toBe(1), SOON);
    const [released] = await client.deliveries(webhook);
    await whole.stack.tick(new Date(Date.parse(released?.next_attempt_at ?? '') + OVERDUE_MS));

    const deliveries = await client.settled(webhook, 3);
    expect(deliveries.map(({ attempts }) => attempts.map(({ trigger }) => trigger))).toEqual(Array(3).fill(['resume']));
    expect(webhook.posts).toHaveLength(3);
  });

  it('are delivered although their webhook is enabled after deliver has read it as disabled and before deliver holds them', async () => {
    const client = await whole.newClient();
    const webhook = await client.addWebhook(() => 200, { enabled: false });
    const enabling = whole.faults.inject(
      { functionName: 'deliver', operation: 'BatchGetItem', times: 1 },
      async (_, forward) => {
        const answer = await forward();
        await client.call('PATCH', `/webhooks/${webhook.id}`, { enabled: true });
        await vi.waitFor(() => expect(whole.logs.some(isRelease)).toBe(true), SOON);
        return answer;
      },
    );
    const isRelease = (line: string): boolean => /^fan-out .*"changes":1,"done":1.*"dynamodb.Query"/.test(line);
    whole.logs.length = 0;

    await client.publish(1);

    const [delivery] = await client.settled(webhook, 1, 5000);
    expect(enabling.hits).toBe(1);
    expect(delivery).toMatchObject({ status: 'delivered', attempts_made: 1 });
  });
});
