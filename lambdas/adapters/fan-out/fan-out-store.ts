import { type DynamoDBClient, GetItemCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import type { FanOutStore } from '../../domain/fan-out/fan-out.ts';
import type { CommandStore } from '../../domain/fan-out/run-command.ts';
import { nullIfRefused } from '../aws/conditional-write.ts';
import { executeStatements, insertStatement } from '../aws/statements.ts';
import { createHistoryEraser } from '../deliveries/erase-history.ts';
import { createPayloadEraser } from '../deliveries/erase-payload.ts';
import { createTaskRowsEraser } from '../deliveries/erase-tasks.ts';
import { createHeldDeliveries } from '../deliveries/release-held.ts';
import { createEventExtension } from '../maintenance/event-retention.ts';
import { createHourMarks } from '../maintenance/hour-counts.ts';
import { createRecovery } from '../redelivery/recovery.ts';
import { createRedeliverer } from '../redelivery/redeliver.ts';
import { newDeliveryRow } from '../rows/delivery-row.ts';
import { eventToRow } from '../rows/event-row.ts';
import { REMOVE_FAILING } from '../rows/health-row.ts';
import { commandKey, healthKey } from '../rows/table-keys.ts';
import { createSubscribers } from '../webhooks/event-routing.ts';

/**
 * Creates the store that reads and writes all rows of the fan-out. `speed` divides the length of the hours by which the
 * statistics count deliveries, as it divides the waits of the schedules.
 */
export const createFanOutStore = (
  client: DynamoDBClient,
  tables: { readonly domain: string; readonly delivery: string },
  retentionDays: number,
  isOperational: (type: string) => boolean,
  speed = 1,
): FanOutStore & CommandStore => {
  const { markForRecount } = createHourMarks(client, tables.delivery, retentionDays, speed);
  const { extendEvents } = createEventExtension(client, tables.domain);
  const held = createHeldDeliveries(client, tables.delivery, retentionDays);
  const redeliverer = createRedeliverer(client, tables.delivery, retentionDays, { markForRecount, extendEvents });
  return {
    ...createSubscribers(client, tables.domain, isOperational),
    ...createHistoryEraser(client, tables),
    ...createPayloadEraser(client, tables, retentionDays),
    ...createTaskRowsEraser(client, tables),
    ...createRecovery(client, tables, redeliverer.redeliverBatch),
    redeliver: redeliverer.redeliver,

    async add(events, deliveries, nowMs) {
      await markForRecount(deliveries, nowMs);
      await executeStatements(client, [
        ...events.map((event) => insertStatement(tables.domain, eventToRow(event, retentionDays))),
        ...deliveries.map((delivery) => insertStatement(tables.delivery, newDeliveryRow(delivery))),
      ]);
    },

    async clearFailing(webhookId) {
      await client.send(
        new UpdateItemCommand({
          TableName: tables.delivery,
          Key: marshall(healthKey(webhookId)),
          UpdateExpression: `SET kind = :kind ${REMOVE_FAILING}`,
          ExpressionAttributeValues: marshall({ ':kind': 'health' }),
        }),
      );
    },

    async markDone(command, nowMs) {
      await nullIfRefused(
        client.send(
          new UpdateItemCommand({
            TableName: tables.domain,
            Key: marshall(commandKey(command.owner, command.id)),
            UpdateExpression: 'SET done_at = :now',
            ConditionExpression: 'attribute_exists(pk)',
            ExpressionAttributeValues: marshall({ ':now': nowMs }),
          }),
        ),
      );
    },

    async isDone({ owner, id }) {
      const Key = marshall(commandKey(owner, id));
      const { Item } = await client.send(new GetItemCommand({ TableName: tables.domain, Key, ConsistentRead: true }));
      return Item?.done_at !== undefined;
    },

    async releasePage(webhookId, requestedBy, nowMs) {
      const { tickets, hasMore } = await held.releasePage(webhookId, requestedBy, nowMs);
      await markForRecount(
        tickets.map(({ deliveryId, owner }) => ({ id: deliveryId, owner })),
        nowMs,
      );
      return { tickets, hasMore };
    },
  };
};
