import {
  ConditionalCheckFailedException,
  type DynamoDBClient,
  GetItemCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import type { ReceiverSpeed, ReceiverSpeedStore } from '../../domain/sending/slow-lane.ts';
import { healthKey } from '../rows/table-keys.ts';

const timeAt = (value: unknown): number => (typeof value === 'number' ? value : 0);

/** What of a webhook's health row tells how quickly it answers. */
export const rowToReceiverSpeed = (row: Readonly<Record<string, unknown>> | null): ReceiverSpeed => ({
  isSlow: row?.slow === true,
  quickUntilMs: timeAt(row?.quick_until),
  probedUntilMs: timeAt(row?.probed_until),
});

/** How quickly webhooks answer, in the rows of their health: one write at each change of mind. */
export const createReceiverSpeeds = (client: DynamoDBClient, table: string): ReceiverSpeedStore => {
  const update = async (
    webhookId: string,
    expression: string,
    values: Readonly<Record<string, unknown>>,
    condition?: string,
  ): Promise<void> => {
    await client.send(
      new UpdateItemCommand({
        TableName: table,
        Key: marshall(healthKey(webhookId)),
        UpdateExpression: expression,
        ExpressionAttributeValues: marshall(values),
        ...(condition ? { ConditionExpression: condition } : {}),
      }),
    );
  };

  return {
    async receiverSpeed(webhookId) {
      const key = { TableName: table, Key: marshall(healthKey(webhookId)), ConsistentRead: true };
      const { Item } = await client.send(new GetItemCommand(key));
      return rowToReceiverSpeed(Item ? unmarshall(Item) : null);
    },

    async claimProbe(webhookId, nowMs, untilMs) {
      try {
        await update(
          webhookId,
          'SET probed_until = :until, kind = :kind',
          { ':until': untilMs, ':kind': 'health', ':now': nowMs },
          'attribute_not_exists(probed_until) OR probed_until <= :now',
        );
        return true;
      } catch (error) {
        if (error instanceof ConditionalCheckFailedException) return false;
        throw error;
      }
    },

    markQuick: (webhookId, untilMs) =>
      update(webhookId, 'SET quick_until = :until, kind = :kind REMOVE probed_until', {
        ':until': untilMs,
        ':kind': 'health',
      }),

    markSlow: (webhookId, isSlow) =>
      update(webhookId, 'SET slow = :slow, kind = :kind REMOVE probed_until, quick_until', {
        ':slow': isSlow,
        ':kind': 'health',
      }),
  };
};
