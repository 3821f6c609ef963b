import { describe, expect, it } from 'vitest';
import { callApi } from '../../local/cli/api-client.ts';
import type { FaultTarget } from '../helpers/faults.ts';
import { extraPosts, useWholeStack } from '../helpers/whole-stack.ts';

const accepts = () => 200;
const refuses = () => 500;
const task = {
  item: 'Forgotten passport',
  pickup: { city: 'Oslo', address: 'a' },
  dropoff: { city: 'Oslo', address: 'b' },
};

describe('a killed function', () => {
  const whole = useWholeStack({ speed: 60, visibilityTimeoutSeconds: 2 });

  it('tasks-api, killed after its write: POST /tasks answers 500, and a repeat with this idempotency key answers 201 with the only task', async () => {
    const client = await whole.newClient();
    const webhook = await client.addWebhook(accepts, { events: ['task.created'] });
    const kill = whole.faults.inject({ functionName: 'tasks-api', operation: 'PutItem', times: 1 }, 'kill after');
    const create = async () => {
      const headers = {
        authorization: `Bearer ${client.key}`,
        'content-type': 'application/json',
        'idempotency-key': 'once',
      };
      const url = `${whole.stack.url}/api/public/v1/tasks`;
      const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(task) });
      return {
        status: response.status,
        replayed: response.headers.get('idempotency-replayed'),
        body: await response.json(),
      };
    };

    const lost = await create();
    const repeated = await create();
    const again = await create();

    expect([lost.status, kill.hits]).toEqual([500, 1]);
    expect(repeated).toMatchObject({ status: 201, replayed: 'true', body: { status: 'created', version: 1 } });
    expect(again.body).toEqual(repeated.body);
    await client.settled(webhook, 1);
    await whole.stack.settled();
    expect((await callApi(whole.stack.url, client.key, 'GET', '/tasks')).body.data).toHaveLength(1);
    expect(webhook.posts).toHaveLength(1);
  });

  it.each<[string, FaultTarget, 'kill before' | 'kill after']>([
    ['before it reads', { functionName: 'fan-out', operation: 'BatchGetItem' }, 'kill before'],
    ['before it writes', { functionName: 'fan-out', operation: 'BatchExecuteStatement' }, 'kill before'],
    [
      'after it writes, before it sends messages',
      { functionName: 'fan-out', operation: 'BatchExecuteStatement' },
      'kill after',
    ],
    ['before it sends messages', { functionName: 'fan-out', operation: 'SendMessageBatch' }, 'kill before'],
    ['after it sends messages', { functionName: 'fan-out', operation: 'SendMessageBatch' }, 'kill after'],
  ])(
    'fan-out, killed twice %s: twenty deliveries are delivered with one attempt each and at most two additional POSTs each',
    async (_, target, kind) => {
      const client = await whole.newClient();
      const webhooks = [await client.addWebhook(accepts), await client.addWebhook(accepts)];
      const kill = whole.faults.inject({ ...target, times: 2 }, kind);

      await client.publish(10);

      for (const webhook of webhooks) {
        const deliveries = await client.settled(webhook, 10);
        expect(deliveries.every(({ status, attempts_made }) => status === 'delivered' && attempts_made === 1)).toBe(
          true,
        );
        expect(Math.max(...extraPosts(webhook, deliveries))).toBeLessThanOrEqual(2);
      }
      expect(kill.hits).toBe(2);
    },
  );

  it.each<[string, FaultTarget, 'kill before' | 'kill after']>([
    ['before the POST', { functionName: 'deliver', operation: 'BatchGetItem' }, 'kill after'],
    [
      'after the POST, before the record',
      { functionName: 'deliver', operation: 'BatchExecuteStatement' },
      'kill before',
    ],
    ['right after the record', { functionName: 'deliver', operation: 'BatchExecuteStatement' }, 'kill after'],
    [
      'after the record, before the next message',
      { functionName: 'deliver', operation: 'SendMessageBatch' },
      'kill before',
    ],
    ['before the acknowledgement', { functionName: 'deliver', operation: 'SendMessageBatch' }, 'kill after'],
  ])(
    'deliver, killed once %s: each of ten deliveries has at most one additional POST and no additional attempt',
    async (_, target, kind) => {
      const client = await whole.newClient();
      const accepting = await client.addWebhook(accepts);
      const refusing = await client.addWebhook(refuses, { schedule: [30] });
      const kill = whole.faults.inject({ ...target, times: 1 }, kind);

      await client.publish(5);

      const delivered = await client.settled(accepting, 5);
      // The message is visible again after 2 s. The sweep of overdue deliveries would take 12 s.
      const dead = await client.settled(refusing, 5, 9000);
      expect(kill.hits).toBe(1);
      expect(delivered.map(({ status, attempts }) => [status, attempts.length])).toEqual(
        Array(5).fill(['delivered', 1]),
      );
      expect(dead.map(({ status, attempts }) => [status, attempts.length])).toEqual(Array(5).fill(['dead', 2]));
      for (const extra of [...extraPosts(accepting, delivered), ...extraPosts(refusing, dead)]) {
        expect(extra).toBeGreaterThanOrEqual(0);
        expect(extra).toBeLessThanOrEqual(1);
      }
    },
  );

  it('deliver, killed during the POST: the POST is sent again, and the delivery is delivered with one recorded attempt', async () => {
    const client = await whole.newClient();
    const webhook = await client.addWebhook(async ({ number }) => {
      if (number === 1) await whole.stack.kill('deliver');
      return 200;
    });

    await client.publish(1);

    const [delivery] = await client.settled(webhook, 1);
    expect(delivery).toMatchObject({ status: 'delivered', attempts_made: 1 });
    expect(webhook.posts).toHaveLength(2);
  });
});
