import {
  type DynamoDBClient,
  GetItemCommand,
  UpdateItemCommand,
  type UpdateItemCommandOutput,
} from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import type { ReceiverSpeedStore } from '../../domain/sending/slow-lane.ts';
import { nullIfRefused } from '../aws/conditional-write.ts';
import { rowToReceiverSpeed } from '../rows/health-row.ts';
import { healthKey } from '../rows/table-keys.ts';

/**
 * Stores the speed of each webhook's receiver in the webhook's health row. Writes a row only when a probe begins or the
 * known speed changes.
 */
export const createReceiverSpeeds = (client: DynamoDBClient, table: string): ReceiverSpeedStore => {
  const update = async (
    webhookId: string,
    expression: string,
    values: Readonly<Record<string, unknown>>,
    condition?: string,
  ): Promise<UpdateItemCommandOutput> =>
    client.send(
      new UpdateItemCommand({
        TableName: table,
        Key: marshall(healthKey(webhookId)),
        UpdateExpression: expression,
        ExpressionAttributeValues: marshall(values),
        ...(condition ? { ConditionExpression: condition } : {}),
      }),
    );

  return {
    async receiverSpeed(webhookId) {
      const key = { TableName: table, Key: marshall(healthKey(webhookId)), ConsistentRead: true };
      const { Item } = await client.send(new GetItemCommand(key));
      return rowToReceiverSpeed(Item ? unmarshall(Item) : null);
    },

    async claimProbe(webhookId, nowMs, untilMs) {
      const claimed = await nullIfRefused(
        update(
          webhookId,
          'SET probed_until = :until, kind = :kind',
          { ':until': untilMs, ':kind': 'health', ':now': nowMs },
          'attribute_not_exists(probed_until) OR probed_until <= :now',
        ),
      );
      return claimed !== null;
    },

    async markQuick(webhookId, untilMs) {
      await update(webhookId, 'SET quick_until = :until, kind = :kind REMOVE probed_until', {
        ':until': untilMs,
        ':kind': 'health',
      });
    },

    async markSlow(webhookId, isSlow) {
      await update(webhookId, 'SET slow = :slow, kind = :kind REMOVE probed_until, quick_until', {
        ':slow': isSlow,
        ':kind': 'health',
      });
    },
  };
};
