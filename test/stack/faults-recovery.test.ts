import { describe, expect, it, vi } from 'vitest';
import type { FaultPlace } from '../helpers/faults.ts';
import type { Answering } from '../helpers/webhook-receiver.ts';
import { type Delivery, extraPosts, useWholeStack, type Webhook } from '../helpers/whole-stack.ts';

// At this speed the queue carries 3 s, a tick falls five times a second and looks 2.6 s ahead; overdue is what is 12 s late.
const SPEED = 300;
const SOON = { timeout: 8000 };
const OVERDUE_MS = 12_000;
const IN_QUEUE = [600];
const PARKED = [960];

const refusesOnce: Answering = ({ number }) => (number === 1 ? 500 : 200);

/** How late the second requests came. */
const latenessMs = ({ posts }: Webhook, deliveries: readonly Delivery[]): number[] =>
  deliveries.map(({ id, attempts }) => {
    const second = posts.find(({ deliveryId, number }) => deliveryId === id && number === 2);
    return (second?.atMs ?? Number.NaN) - Date.parse(attempts[1]?.due_at ?? '');
  });

const deliveredAtSecond = (count: number) => Array(count).fill(['delivered', 2]);
const outcomes = (deliveries: readonly Delivery[]) =>
  deliveries.map(({ status, attempts }) => [status, attempts.length]);

describe('what waits', () => {
  const whole = useWholeStack({ speed: SPEED, visibilityTimeoutSeconds: 2 });

  it.each<[string, FaultPlace, 'kill before' | 'kill after']>([
    ['before it sends', { functionName: 'due', operation: 'SendMessageBatch' }, 'kill before'],
    ['after it sent, before it notes so', { functionName: 'due', operation: 'SendMessageBatch' }, 'kill after'],
    ['after it noted', { functionName: 'due', operation: 'BatchExecuteStatement' }, 'kill after'],
  ])('goes out in time when the due function is killed %s', async (_, place, kind) => {
    const client = await whole.newClient();
    const webhook = await client.addWebhook(refusesOnce, { schedule: PARKED });
    const kill = whole.faults.order({ ...place, times: 2 }, kind);

    await client.publish(5);

    const deliveries = await client.settled(webhook, 5);
    expect(kill.hits).toBe(2);
    expect(outcomes(deliveries)).toEqual(deliveredAtSecond(5));
    expect(Math.max(...extraPosts(webhook, deliveries))).toBeLessThanOrEqual(2);
    expect(Math.min(...latenessMs(webhook, deliveries))).toBeGreaterThanOrEqual(0);
    expect(Math.max(...latenessMs(webhook, deliveries))).toBeLessThan(6000);
  });

  it('goes out although every queue is emptied', async () => {
    const client = await whole.newClient();
    const inQueue = await client.addWebhook(refusesOnce, { schedule: IN_QUEUE });
    const parked = await client.addWebhook(refusesOnce, { schedule: PARKED });
    const stillParked = await client.addWebhook(refusesOnce, { schedule: [2100] });
    const webhooks = [inQueue, parked, stillParked];
    const waiting = async () => (await Promise.all(webhooks.map(client.deliveries))).flat();

    await client.publish(5);
    await vi.waitFor(async () => {
      const deliveries = await waiting();
      expect(deliveries.filter(({ status }) => status === 'failed')).toHaveLength(15);
    }, SOON);
    whole.stack.purge('all');
    const held = whole.stack.depth('deliveries');
    // Those that were parked enter the queue now.
    await vi.waitFor(() => expect(whole.stack.depth('deliveries').delayed).toBeGreaterThan(0), SOON);
    await new Promise((next) => setTimeout(next, 500));
    whole.stack.purge('all');

    expect(held).toMatchObject({ visible: 0, delayed: 0 });
    for (const webhook of webhooks) {
      const deliveries = await client.settled(webhook, 5, 25_000);
      expect(outcomes(deliveries)).toEqual(deliveredAtSecond(5));
    }
    expect(Math.max(...latenessMs(stillParked, await client.deliveries(stillParked)))).toBeLessThan(6000);
  });

  it('goes on when a webhook is enabled, although the fan-out is killed before it tells the queue', async () => {
    const client = await whole.newClient();
    const webhook = await client.addWebhook(() => 200, { enabled: false });
    await client.publish(3);
    await vi.waitFor(async () => {
      const deliveries = await client.deliveries(webhook);
      expect(deliveries.map(({ status }) => status)).toEqual(['held', 'held', 'held']);
    }, SOON);
    const kill = whole.faults.order(
      { functionName: 'fan-out', operation: 'BatchExecuteStatement', times: 1 },
      'kill after',
    );

    await client.call('PATCH', `/webhooks/${webhook.id}`, { enabled: true });
    await vi.waitFor(() => expect(kill.hits).toBe(1), SOON);
    const [owed] = await client.deliveries(webhook);
    await whole.stack.tick(new Date(Date.parse(owed?.next_attempt_at ?? '') + OVERDUE_MS));

    const deliveries = await client.settled(webhook, 3);
    expect(deliveries.map(({ attempts }) => attempts.map(({ trigger }) => trigger))).toEqual(Array(3).fill(['resume']));
    expect(webhook.posts).toHaveLength(3);
  });
});
