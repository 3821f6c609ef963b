import { DynamoDBClient, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import { describe, expect, it, vi } from 'vitest';
import { webhookKey } from '../../lambdas/adapters/table-keys.ts';
import { type Client, useWholeStack, type WholeStack } from '../helpers/whole-stack.ts';

const SOON = { timeout: 10_000 };
const HOUR_AND_A_QUARTER_MS = 75 * 60_000;

const enable = async ({ stack }: WholeStack, { accountId }: Client, webhookId: string): Promise<void> => {
  const dynamo = new DynamoDBClient({
    endpoint: stack.dynamoEndpoint,
    region: 'us-east-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  });
  await dynamo.send(
    new UpdateItemCommand({
      TableName: stack.tableName('domain-table'),
      Key: marshall(webhookKey(`${accountId}#live`, webhookId)),
      UpdateExpression: 'SET enabled = :on',
      ExpressionAttributeValues: marshall({ ':on': true }),
    }),
  );
};

// The roll-up's ticks are ahead of time here, which they never are elsewhere: so this file's stack is its own.
describe('the roll-up', () => {
  const whole = useWholeStack({});

  it('finds first attempts whose messages were all lost, and what is held for nobody', async () => {
    const client = await whole.newClient();
    const webhooks = [await client.addWebhook(() => 200), await client.addWebhook(() => 200)];
    let lost = 0;
    const losing = whole.faults.order({ functionName: 'fan-out', operation: 'SendMessageBatch' }, async ({ input }) => {
      const taken = input.Entries as readonly { readonly Id: string }[];
      lost += taken.length;
      return { status: 200, body: { Successful: taken.map(({ Id }) => ({ Id, MessageId: Id })) } };
    });
    await client.publish(20);
    await vi.waitFor(() => expect(lost).toBe(40), SOON);
    losing.end();
    const off = await client.addWebhook(() => 200, { enabled: false, events: ['task.created'] });
    await client.publish(1, 'task.created');
    await vi.waitFor(async () => {
      const [delivery] = await client.deliveries(off);
      expect(delivery?.status).toBe('held');
    }, SOON);
    // As it stands when whoever enabled it died before the held ones were told.
    await enable(whole, client, off.id);
    const before = webhooks.map(({ posts }) => posts.length);

    await whole.stack.tick(new Date(Date.now() + HOUR_AND_A_QUARTER_MS));

    expect(before).toEqual([0, 0]);
    for (const webhook of webhooks) {
      expect(await client.listedSettled(webhook, 20)).toHaveLength(20);
      expect(webhook.posts).toHaveLength(20);
    }
    expect(await client.listedSettled(off, 1)).toMatchObject([{ status: 'delivered' }]);
  });
});
