import { DynamoDBClient, PutItemCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { marshall } from '@aws-sdk/util-dynamodb';
import { describe, expect, it, vi } from 'vitest';
import { webhookKey } from '../../lambdas/adapters/rows/table-keys.ts';
import { drawId } from '../../lambdas/domain/foundation/id.ts';
import { env } from '../../lambdas/runtime/env.ts';
import { extraPosts, useWholeStack } from '../helpers/whole-stack.ts';

const SOON = { timeout: 8000 };
const options = { region: 'us-east-1', credentials: { accessKeyId: 'test', secretAccessKey: 'test' } };
const accepts = () => 200;

describe('unexpected messages and rows on the whole stack', () => {
  const whole = useWholeStack({ speed: 60, visibilityTimeoutSeconds: 2 });

  /** Sends messages to the deliveries queue in this order. */
  const send = async (...bodies: string[]): Promise<void> => {
    const { environment } = whole.stack.definitionOf('fan-out');
    const sqs = new SQSClient({ ...options, endpoint: environment.AWS_ENDPOINT_URL_SQS ?? '' });
    const QueueUrl = environment[env.deliveriesQueueUrl];
    for (const MessageBody of bodies) {
      await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody, MessageGroupId: 'any' }));
    }
  };

  /** Collects every message that functions send to the deliveries queue from now on. */
  const collectMessages = (): string[] => {
    const bodies: string[] = [];
    whole.faults.inject({ functionName: /./, operation: 'SendMessageBatch' }, ({ input }, forward) => {
      bodies.push(...(input.Entries as { MessageBody: string }[]).map(({ MessageBody }) => MessageBody));
      return forward();
    });
    return bodies;
  };

  it('all messages of ten deliveries, sent again in reverse order, cause no additional POST and no additional attempt', async () => {
    const client = await whole.newClient();
    const accepting = await client.addWebhook(accepts);
    const refusing = await client.addWebhook(() => 500, { schedule: [30, 90] });
    const bodies = collectMessages();
    await client.publish(5);
    await vi.waitFor(async () => {
      const made = (await client.deliveries(refusing)).map(({ attempts_made }) => attempts_made);
      expect(made).toEqual([2, 2, 2, 2, 2]);
    }, SOON);
    const outdated = bodies.filter((body) => (JSON.parse(body) as { t: number }).t <= 2);

    await send(...outdated.toReversed(), ...outdated);
    await client.settled(refusing, 5);
    await send(...bodies.toReversed());
    await whole.stack.settled();

    const delivered = await client.settled(accepting, 5);
    const dead = await client.settled(refusing, 5);
    expect(delivered.map(({ status, attempts }) => [status, attempts.length])).toEqual(Array(5).fill(['delivered', 1]));
    expect(dead.map(({ status, attempts }) => [status, attempts.length])).toEqual(Array(5).fill(['dead', 3]));
    expect(extraPosts(accepting, delivered)).toEqual(Array(5).fill(0));
    expect(extraPosts(refusing, dead)).toEqual(Array(5).fill(0));
  });

  it('a second copy of a message, sent while the first copy is processed, causes a second POST, but only one attempt is recorded', async () => {
    const client = await whole.newClient();
    const bodies = collectMessages();
    const twin = Promise.withResolvers<void>();
    const webhook = await client.addWebhook(async ({ number }) => {
      if (number > 1) {
        twin.resolve();
        await client.settled(webhook, 1);
        return 500;
      }
      await send(...bodies);
      await twin.promise;
      return 200;
    });

    await client.publish(1);

    await client.settled(webhook, 1);
    await vi.waitFor(() => expect(webhook.posts).toHaveLength(2), SOON);
    await whole.stack.settled();
    const [delivery] = await client.deliveries(webhook);
    expect(delivery).toMatchObject({ status: 'delivered', attempts_made: 1, http_status: 200 });
    expect(webhook.posts).toHaveLength(2);
  });

  it('a retry’s message, sent before its due time, does not make the second attempt early', async () => {
    const client = await whole.newClient();
    const bodies = collectMessages();
    const webhook = await client.addWebhook(({ number }) => (number === 1 ? 500 : 200), { schedule: [150] });
    await client.publish(1);
    await vi.waitFor(() => expect(bodies).toHaveLength(2), SOON);

    await send(...bodies);

    const [delivery] = await client.settled(webhook, 1);
    expect(delivery).toMatchObject({ status: 'delivered', attempts_made: 2 });
    const dueMs = Date.parse(delivery?.attempts[1]?.due_at ?? '');
    expect(webhook.posts[1]?.atMs).toBeGreaterThanOrEqual(dueMs);
  });

  it('messages of unknown formats are dropped from the queue, and ten deliveries beside them settle within 1.8 s', async () => {
    const client = await whole.newClient();
    const webhook = await client.addWebhook(accepts);
    const unknownDelivery = { v: 1, d: 'dlv_?', t: 1, o: 'nobody', e: 'nothing', r: 0 };
    const unknownMessages = [
      'not JSON',
      '{}',
      '{"v":2}',
      '[]',
      JSON.stringify(unknownDelivery),
      JSON.stringify({ ...unknownDelivery, d: '', o: '', e: '' }),
    ];

    await Promise.all([send(...unknownMessages), client.publish(10), send(...unknownMessages)]);

    const deliveries = await client.settled(webhook, 10, 1800);
    await whole.stack.settled();
    expect(deliveries.every(({ status }) => status === 'delivered')).toBe(true);
    expect(webhook.posts).toHaveLength(10);
    expect(whole.stack.depth('deliveries')).toEqual({ visible: 0, inFlight: 0, delayed: 0 });
  });

  it('a webhook’s row that cannot be parsed delays only the deliveries of this webhook, which are delivered after the row is repaired', async () => {
    const client = await whole.newClient();
    const sound = await client.addWebhook(accepts);
    const broken = await client.addWebhook(accepts);
    const dynamo = new DynamoDBClient({ ...options, endpoint: whole.stack.dynamoEndpoint });
    const setEnabled = (enabled: unknown) =>
      dynamo.send(
        new UpdateItemCommand({
          TableName: whole.stack.definitionOf('fan-out').environment[env.domainTable],
          Key: marshall(webhookKey(`${client.accountId}#live`, broken.id)),
          UpdateExpression: 'SET enabled = :enabled',
          ExpressionAttributeValues: marshall({ ':enabled': enabled }),
        }),
      );
    await setEnabled('perhaps');

    await client.publish(5);

    await client.settled(sound, 5, 1800);
    expect(broken.posts).toHaveLength(0);
    await setEnabled(true);
    const repaired = await client.settled(broken, 5);
    expect(repaired.map(({ status, attempts_made }) => [status, attempts_made])).toEqual(
      Array(5).fill(['delivered', 1]),
    );
  });

  it('a task’s row that cannot be parsed is put in the failures queue, and ten events published around it are delivered', async () => {
    const client = await whole.newClient();
    const webhook = await client.addWebhook(accepts);
    const dynamo = new DynamoDBClient({ ...options, endpoint: whole.stack.dynamoEndpoint });
    const TableName = whole.stack.definitionOf('fan-out').environment[env.domainTable];
    const id = drawId('tsk', Date.now());
    const row = { pk: `T#${id}`, sk: 'task', kind: 'task', id, status: 'nowhere', note: 'kept' };

    await Promise.all([
      client.publish(5),
      dynamo.send(new PutItemCommand({ TableName, Item: marshall(row) })).then(() => client.publish(5)),
    ]);

    await client.settled(webhook, 10, 3000);
    await vi.waitFor(() => expect(whole.stack.depth('failures').visible).toBe(1), SOON);
    const { record } = JSON.parse(whole.stack.peek('failures')[0]?.body ?? '{}');
    expect(record.dynamodb.NewImage).toEqual(marshall(row));
  });
});
