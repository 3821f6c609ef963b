import { DynamoDBClient, GetItemCommand, PutItemCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import { describe, expect, it, vi } from 'vitest';
import { eventToRow } from '../../lambdas/adapters/rows/event-row.ts';
import { rowOf } from '../../lambdas/adapters/rows/row.ts';
import { eventKey, type Key, webhookKey } from '../../lambdas/adapters/rows/table-keys.ts';
import { drawId } from '../../lambdas/domain/foundation/id.ts';
import { anEvent } from '../helpers/virtual-engine.ts';
import { type Client, useWholeStack, type WholeStack } from '../helpers/whole-stack.ts';

const SOON = { timeout: 10_000 };
const HOUR_AND_A_QUARTER_MS = 75 * 60_000;

const DAY_MS = 86_400_000;

const dynamoOf = ({ stack }: WholeStack) =>
  new DynamoDBClient({
    endpoint: stack.dynamoEndpoint,
    region: 'us-east-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  });

const setDomain = async (whole: WholeStack, key: Key, name: string, value: unknown): Promise<void> => {
  await dynamoOf(whole).send(
    new UpdateItemCommand({
      TableName: whole.stack.tableName('domain-table'),
      Key: marshall(key),
      UpdateExpression: 'SET #name = :value',
      ExpressionAttributeNames: { '#name': name },
      ExpressionAttributeValues: marshall({ ':value': value }),
    }),
  );
};

const enable = (whole: WholeStack, { accountId }: Client, webhookId: string): Promise<void> =>
  setDomain(whole, webhookKey(`${accountId}#live`, webhookId), 'enabled', true);

/** Number of days until the event expires. */
const daysLeft = async (whole: WholeStack, { accountId }: Client, eventId: string): Promise<number> => {
  const TableName = whole.stack.tableName('domain-table');
  const Key = marshall(eventKey(`${accountId}#live`, eventId));
  const { Item = {} } = await dynamoOf(whole).send(new GetItemCommand({ TableName, Key, ConsistentRead: true }));
  return Math.round((unmarshall(Item).ttl * 1000 - Date.now()) / DAY_MS);
};

// These tests run ticks with a time in the future, so the stack is not shared with other tests.
describe('the roll-up', () => {
  const whole = useWholeStack({});

  it('in a tick 75 minutes later, sends 40 first attempts whose messages were lost and releases a delivery still held for an enabled webhook', async () => {
    const client = await whole.newClient();
    const webhooks = [await client.addWebhook(() => 200), await client.addWebhook(() => 200)];
    let lost = 0;
    const losing = whole.faults.inject(
      { functionName: 'fan-out', operation: 'SendMessageBatch' },
      async ({ input }) => {
        const taken = input.Entries as readonly { readonly Id: string }[];
        lost += taken.length;
        return { status: 200, body: { Successful: taken.map(({ Id }) => ({ Id, MessageId: Id })) } };
      },
    );
    await client.publish(20);
    await vi.waitFor(() => expect(lost).toBe(40), SOON);
    losing.end();
    const off = await client.addWebhook(() => 200, { enabled: false, events: ['task.created'] });
    await client.publish(1, 'task.created');
    await vi.waitFor(async () => {
      const [delivery] = await client.deliveries(off);
      expect(delivery?.status).toBe('held');
    }, SOON);
    // The state after the enabling function died before it released the held deliveries.
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

  it('extends an event with a held delivery to 30 days after the tick; POST /deliveries/{id}/retry extends an old event to 30 days from now', async () => {
    const client = await whole.newClient();
    const off = await client.addWebhook(() => 200, { enabled: false });
    const on = await client.addWebhook(() => 200, { events: ['task.created'] });
    const [heldEventId = ''] = await client.publish(1);
    const oldEvent = {
      type: 'task.created',
      id: drawId('evt', Date.now() - 40 * DAY_MS),
      owner: `${client.accountId}#live`,
    };
    const Item = marshall(rowOf(eventToRow(anEvent(oldEvent, Date.now() - 40 * DAY_MS), 30)));
    await dynamoOf(whole).send(new PutItemCommand({ TableName: whole.stack.tableName('domain-table'), Item }));
    const [delivered] = await client.listedSettled(on, 1);
    await vi.waitFor(async () => {
      const [delivery] = await client.deliveries(off);
      expect(delivery?.status).toBe('held');
    }, SOON);
    await setDomain(
      whole,
      eventKey(`${client.accountId}#live`, heldEventId),
      'ttl',
      Math.round((Date.now() + 10 * DAY_MS) / 1000),
    );
    const before = [await daysLeft(whole, client, oldEvent.id), await daysLeft(whole, client, heldEventId)];

    const { status } = await client.call('POST', `/deliveries/${delivered?.id}/retry`);
    await vi.waitFor(() => expect(on.posts).toHaveLength(2), SOON);
    await whole.stack.tick(new Date(Date.now() + 8 * DAY_MS));

    expect([status, before]).toEqual([202, [4, 10]]);
    expect(await daysLeft(whole, client, oldEvent.id)).toBe(30);
    expect(await daysLeft(whole, client, heldEventId)).toBe(38);
    expect(whole.logs.some((line) => line.startsWith('roll-up ') && line.includes('"events.kept"'))).toBe(true);
  });
});
