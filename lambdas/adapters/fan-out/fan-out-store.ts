import { type DynamoDBClient, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import type { FanOutStore } from '../../domain/fan-out/fan-out.ts';
import type { CommandStore } from '../../domain/fan-out/run-command.ts';
import { executeStatements, insertStatement } from '../aws/statements.ts';
import { createErasureRows } from '../deliveries/erase-history.ts';
import { createHeldReleaser } from '../deliveries/release-held.ts';
import { createEventExtender } from '../maintenance/event-retention.ts';
import { createRecount } from '../maintenance/hour-counts.ts';
import { createRecoveryRows } from '../redelivery/recovery.ts';
import { createRedeliverer, deliveryRow } from '../redelivery/redeliver.ts';
import { eventToRow } from '../rows/event-row.ts';
import { healthKey } from '../rows/table-keys.ts';
import { createSubscriberLookup } from '../webhooks/subscribers.ts';

export const createFanOutStore = (
  client: DynamoDBClient,
  tables: { readonly domain: string; readonly delivery: string },
  retentionDays: number,
  isOperational: (type: string) => boolean,
  speed = 1,
): FanOutStore & CommandStore => {
  const recount = createRecount(client, tables.delivery, retentionDays, speed);
  const releasePage = createHeldReleaser(client, tables.delivery);
  const { redeliverBatch, redeliver } = createRedeliverer(
    client,
    tables.delivery,
    recount,
    createEventExtender(client, tables.domain),
  );
  return {
    ...createErasureRows(client, tables),
    redeliver,
    ...createRecoveryRows(client, tables, redeliverBatch),
    subscribers: createSubscriberLookup(client, tables.domain, isOperational),

    async add(events, deliveries, nowMs) {
      await recount(deliveries, nowMs);
      await executeStatements(client, [
        ...events.map((event) => insertStatement(tables.domain, eventToRow(event, retentionDays))),
        ...deliveries.map((delivery) => insertStatement(tables.delivery, deliveryRow(delivery))),
      ]);
    },

    async clearFailing(webhookId) {
      await client.send(
        new UpdateItemCommand({
          TableName: tables.delivery,
          Key: marshall(healthKey(webhookId)),
          UpdateExpression: 'SET kind = :kind REMOVE failing_since, failing_pk, failing_emitted',
          ExpressionAttributeValues: marshall({ ':kind': 'health' }),
        }),
      );
    },

    async releasePage(webhookId, requestedBy, nowMs) {
      const { tickets, hasMore } = await releasePage(webhookId, requestedBy, nowMs);
      await recount(
        tickets.map(({ deliveryId, owner }) => ({ id: deliveryId, owner })),
        nowMs,
      );
      return { tickets, hasMore };
    },
  };
};
