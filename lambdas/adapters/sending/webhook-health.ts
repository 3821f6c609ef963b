import type { DynamoDBClient, TransactWriteItem } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import type { StoredDelivery } from '../../domain/deliveries/delivery.ts';
import { deriveTimedId } from '../../domain/foundation/id.ts';
import type { HealthStore } from '../../domain/sending/webhook-health.ts';
import type { StoredWebhook } from '../../domain/webhooks/webhook.ts';
import { transact } from '../aws/transact.ts';
import { eventToRow } from '../rows/event-row.ts';
import { REMOVE_FAILING } from '../rows/health-row.ts';
import { partitions } from '../rows/key-names.ts';
import { rowOf } from '../rows/row.ts';
import { healthKey, webhookKey } from '../rows/table-keys.ts';

/**
 * Returns the fields of a delivery that an operational event shows. The body of the receiver's response is not among
 * them.
 */
const deliverySummary = ({ id, event_id, event_type, status, attempts_made, last }: StoredDelivery) => ({
  id,
  event_id,
  event_type,
  status,
  attempts_made,
  http_status: last?.http_status ?? null,
  error: last?.error ?? null,
});

/**
 * Changes the health of webhooks and emits the operational events. A change and its event are written in one
 * transaction. Nothing is written where another instance made the change first. Throws where every try conflicts with
 * other transactions.
 */
export const createWebhookHealth = (
  client: DynamoDBClient,
  tables: { readonly domain: string; readonly delivery: string },
  retentionDays: number,
): HealthStore => {
  /**
   * Returns the transaction item that puts an operational event. The event's id is derived from time, webhook, type and
   * `mark`, a text that identifies the change, so a repeated change emits the event once.
   */
  const event = (
    type: string,
    { id, owner, customer, url, description }: StoredWebhook,
    { reason, delivery, mark, atMs }: { reason: string | null; delivery: StoredDelivery; mark: string; atMs: number },
  ): TransactWriteItem => {
    const about = { id, url: url.split(/[?#]/)[0], description };
    const row = eventToRow(
      {
        id: deriveTimedId('evt', atMs, id, type, mark),
        owner,
        customer,
        origin: 'publish',
        type,
        resource: null,
        data: JSON.stringify({ webhook: about, reason, delivery: deliverySummary(delivery) }),
        meta: null,
        publisher_id: null,
        sequence: null,
        retention_days: delivery.retention_days,
        created_at: new Date(atMs).toISOString(),
        about: id,
      },
      retentionDays,
    );
    return { Put: { TableName: tables.domain, Item: marshall(rowOf(row)) } };
  };

  /** Returns the transaction item that updates the health row of a webhook on a condition. */
  const health = (
    webhookId: string,
    expression: string,
    condition: string,
    values: Readonly<Record<string, unknown>>,
  ): TransactWriteItem => ({
    Update: {
      TableName: tables.delivery,
      Key: marshall(healthKey(webhookId)),
      UpdateExpression: expression,
      ConditionExpression: condition,
      ExpressionAttributeValues: marshall(values),
    },
  });

  const write = async (...items: TransactWriteItem[]): Promise<void> => {
    if ((await transact(client, items)) === 'busy')
      throw new Error("other transactions are writing the same webhook's health");
  };

  return {
    beginFailing: (webhookId, since) =>
      write(
        health(
          webhookId,
          'SET failing_since = :since, failing_pk = :all, kind = :kind',
          'attribute_not_exists(failing_since)',
          { ':since': since, ':all': partitions.failing, ':kind': 'health' },
        ),
      ),

    endFailing: (webhook, { failingSince, isFailingEmitted }, delivery, nowMs) =>
      write(
        health(webhook.id, REMOVE_FAILING, 'failing_since = :since', {
          ':since': failingSince,
        }),
        ...(isFailingEmitted
          ? [event('webhook.recovered', webhook, { reason: null, delivery, mark: String(failingSince), atMs: nowMs })]
          : []),
      ),

    emitFailing: (webhook, delivery, nowMs) =>
      write(
        health(
          webhook.id,
          'SET failing_emitted = :true',
          'attribute_exists(failing_since) AND attribute_not_exists(failing_emitted)',
          {
            ':true': true,
          },
        ),
        event('webhook.failing', webhook, { reason: 'failing', delivery, mark: String(nowMs), atMs: nowMs }),
      ),

    emitDead: (webhook, delivery, reason) =>
      write(
        event('delivery.dead', webhook, {
          reason,
          delivery,
          mark: `${delivery.id}#${delivery.ticket}`,
          atMs: delivery.settled_at ?? 0,
        }),
      ),

    disable: (webhook, reason, delivery, nowMs) =>
      write(
        {
          Update: {
            TableName: tables.domain,
            Key: marshall(webhookKey(webhook.owner, webhook.id)),
            UpdateExpression: 'SET enabled = :off, disabled_reason = :reason, updated_at = :now, version = :next',
            ConditionExpression: 'version = :version AND enabled = :on AND attribute_not_exists(deleted_at)',
            ExpressionAttributeValues: marshall({
              ':off': false,
              ':on': true,
              ':reason': reason,
              ':now': new Date(nowMs).toISOString(),
              ':version': webhook.version,
              ':next': webhook.version + 1,
            }),
          },
        },
        event('webhook.disabled', webhook, { reason, delivery, mark: String(webhook.version), atMs: nowMs }),
      ),
  };
};
