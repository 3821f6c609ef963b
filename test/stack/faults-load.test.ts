import { BatchWriteItemCommand, DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import { describe, expect, it, vi } from 'vitest';
import { createPublicKeys } from '../../lambdas/adapters/keyring/public-keys.ts';
import { createSealer } from '../../lambdas/adapters/keyring/sealing.ts';
import { rowOf } from '../../lambdas/adapters/rows/row.ts';
import { routingKey, webhookKey } from '../../lambdas/adapters/rows/table-keys.ts';
import { drawId, webhookOfDelivery } from '../../lambdas/domain/foundation/id.ts';
import { env } from '../../lambdas/runtime/env.ts';
import { serverError } from '../../local/wiring/interceptor.ts';
import { aWebhook } from '../helpers/virtual-engine.ts';
import type { Post, Responder } from '../helpers/webhook-receiver.ts';
import { type Client, extraPosts, useWholeStack, type WholeStack } from '../helpers/whole-stack.ts';

/** Writes webhooks directly as rows, because a thousand webhooks through the API would take longer than the rest of the test. */
const addWebhooks = async ({ stack, receiver }: WholeStack, client: Client, count: number): Promise<Post[]> => {
  const dynamo = new DynamoDBClient({
    endpoint: stack.dynamoEndpoint,
    region: 'us-east-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  });
  const { environment } = stack.definitionOf('fan-out');
  const table = environment[env.domainTable] ?? '';
  const sealer = createSealer(createPublicKeys(dynamo, stack.tableName('credentials-table'), Date.now).read);
  const owner = `${client.accountId}#live`;
  const { url, posts } = receiver.open(() => 200);
  const ids = Array.from({ length: count }, () => drawId('whk', Date.now()));
  const rows = await Promise.all(
    ids.map(async (id) => {
      const secrets = [{ sealed: await sealer.seal(owner, id, 'secret', 'any-secret'), expires_at: null }];
      const webhook = aWebhook({ id, owner, url, allow_http: true, secrets });
      return { ...webhookKey(owner, id), kind: 'webhook', ...rowOf(webhook) };
    }),
  );
  for (let i = 0; i < rows.length; i += 25) {
    const puts = rows.slice(i, i + 25).map((row) => ({ PutRequest: { Item: marshall(row) } }));
    await dynamo.send(new BatchWriteItemCommand({ RequestItems: { [table]: puts } }));
  }
  const routing = { ...routingKey(owner, 'task.accepted', null), webhooks: new Set(ids.map((id) => `${id}|`)) };
  await dynamo.send(new PutItemCommand({ TableName: table, Item: marshall(routing) }));
  return posts;
};

/** Mulberry32, a random generator that returns the same numbers in every run. */
const createRandom = (seed: number) => {
  let state = seed;
  return (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
};

describe('with kills, server errors and refusing receivers at the same time', () => {
  const whole = useWholeStack({ speed: 300, visibilityTimeoutSeconds: 2 });

  it('all 600 deliveries settle, no dead letter remains, and at most ten additional POSTs are sent per kill of the deliver function', async () => {
    const random = createRandom(42);
    const client = await whole.newClient();
    const answer = () => (random() < 0.3 ? 500 : 200);
    const schedule = Array(10).fill(150);
    const webhooks = await Promise.all([1, 2, 3].map(() => client.addWebhook(answer, { schedule })));
    const kills = { 'fan-out': 0, deliver: 0 };
    const fault = whole.faults.inject({ functionName: /^(fan-out|deliver)$/ }, async (call, forward) => {
      const dice = random();
      if (dice < 0.04) return serverError;
      if (dice > 0.1) return forward();
      if (dice < 0.07) await forward();
      kills[call.functionName as keyof typeof kills]++;
      await call.kill();
      throw new Error('the caller was killed');
    });

    const published: string[] = [];
    for (let round = 0; round < 20; round++) published.push(...(await client.publish(10)));
    await new Promise((next) => setTimeout(next, 4000));
    fault.end();

    let extra = 0;
    for (const webhook of webhooks) {
      const deliveries = await client.listedSettled(webhook, 200, 25_000);
      expect(new Set(deliveries.map(({ event_id }) => event_id))).toEqual(new Set(published));
      const statuses = deliveries.map(({ status }) => status);
      expect(statuses).toEqual(deliveries.map(({ http_status }) => (http_status === 200 ? 'delivered' : 'dead')));
      extra += extraPosts(webhook, deliveries).reduce((sum, posts) => sum + posts, 0);
    }
    expect(Math.min(...Object.values(kills))).toBeGreaterThan(0);
    expect(whole.stack.depth('dead-letters').visible).toBe(0);
    expect(extra).toBeLessThanOrEqual(kills.deliver * 10);
  }, 60_000);
});

describe('a thousand webhooks', () => {
  const whole = useWholeStack({ isDirect: true });

  it('receive one published event with exactly 1,000 POSTs, one for each webhook', async () => {
    const client = await whole.newClient();
    const posts = await addWebhooks(whole, client, 1000);

    await client.publish(1);

    await vi.waitFor(() => expect(posts.length).toBeGreaterThanOrEqual(1000), { timeout: 20_000 });
    await whole.stack.settled();
    expect(new Set(posts.map(({ deliveryId }) => webhookOfDelivery(deliveryId))).size).toBe(1000);
    expect(posts).toHaveLength(1000);
  });
});

describe.each<[string, Responder]>([
  ['that never answers', () => null],
  [
    'that answers 200 but never ends the body',
    (_, response) => {
      response.writeHead(200).write('{');
      return null;
    },
  ],
])('a receiver %s', (_, stalls) => {
  const whole = useWholeStack({ isDirect: true });

  it('delays each of ten deliveries to another webhook by less than 5 s, while 300 events are published for the webhook of this receiver', async () => {
    const client = await whole.newClient();
    const stalling = await client.addWebhook(stalls, { events: ['task.cancelled'] });
    const created = new Map<string, number>();
    const quick = await client.addWebhook(() => 200);
    await client.publish(1);
    await client.listedSettled(quick, 1);
    await client.publish(300, 'task.cancelled');

    for (let event = 0; event < 10; event++) {
      const sentAtMs = Date.now();
      const [id = ''] = await client.publish(1);
      created.set(id, sentAtMs);
      await new Promise((next) => setTimeout(next, 100));
    }

    await vi.waitFor(() => expect(quick.posts).toHaveLength(11), { timeout: 5000 });
    const latencies = quick.posts.slice(1).map(({ eventId, atMs }) => atMs - (created.get(eventId) ?? 0));
    // A busy machine needs this margin. On an idle machine it is 0.5 s; without the slow lane it would be 10 s.
    expect(Math.max(...latencies)).toBeLessThan(5000);
    expect(stalling.posts.length).toBeLessThan(300);
  });
});
