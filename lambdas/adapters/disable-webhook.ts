import { type DynamoDBClient, TransactionCanceledException, TransactWriteItemsCommand } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import type { StoredDelivery } from '../domain/delivery.ts';
import { deriveTimedId } from '../domain/id.ts';
import type { StoredWebhook } from '../domain/webhook.ts';
import { eventKey, webhookKey } from './table-keys.ts';

/**
 * Disables a webhook and puts the event that says so, both or neither. Done already, by somebody else or by a person
 * changing the webhook meanwhile: nothing happens.
 */
export const createWebhookDisabling =
  (client: DynamoDBClient, domainTable: string, retentionDays: number) =>
  async (webhook: StoredWebhook, delivery: StoredDelivery, nowMs: number): Promise<void> => {
    const now = new Date(nowMs).toISOString();
    const eventId = deriveTimedId('evt', nowMs, webhook.id, 'disabled', String(webhook.version));
    const url = webhook.url.split(/[?#]/)[0];
    const event = {
      ...eventKey(webhook.owner, eventId),
      kind: 'event',
      id: eventId,
      owner: webhook.owner,
      origin: 'publish',
      type: 'webhook.disabled',
      about: webhook.id,
      data: JSON.stringify({
        webhook: { id: webhook.id, url, description: webhook.description },
        reason: 'gone',
        delivery: { id: delivery.id, event_id: delivery.event_id, event_type: delivery.event_type },
      }),
      created_at: now,
      ttl: Math.ceil(nowMs / 1000) + (retentionDays + 14) * 86_400,
    };
    try {
      await client.send(
        new TransactWriteItemsCommand({
          TransactItems: [
            {
              Update: {
                TableName: domainTable,
                Key: marshall(webhookKey(webhook.owner, webhook.id)),
                UpdateExpression: 'SET enabled = :off, disabled_reason = :gone, updated_at = :now, version = :next',
                ConditionExpression: 'version = :version AND enabled = :on AND attribute_not_exists(deleted_at)',
                ExpressionAttributeValues: marshall({
                  ':off': false,
                  ':on': true,
                  ':gone': 'gone',
                  ':now': now,
                  ':version': webhook.version,
                  ':next': webhook.version + 1,
                }),
              },
            },
            { Put: { TableName: domainTable, Item: marshall(event) } },
          ],
        }),
      );
    } catch (error) {
      if (error instanceof TransactionCanceledException) {
        if (error.CancellationReasons?.some(({ Code }) => Code === 'ConditionalCheckFailed')) return;
      }
      throw error;
    }
  };
