import { type DynamoDBClient, QueryCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import { afterEnabling } from '../domain/after-attempt.ts';
import { type DeliveryTicket, storedDeliverySchema } from '../domain/delivery.ts';
import { type FanOutStore, ticketOf } from '../domain/fan-out.ts';
import { createErasureRows } from './erasure-rows.ts';
import { eventToRow } from './event-rows.ts';
import { createOwedRows, deliveryRow } from './owed-rows.ts';
import { executeStatements, insertStatement, updateStatement } from './partiql.ts';
import { createRecoveryRows } from './recovery-rows.ts';
import { attentionPk, attentionPkOf, deliveryKey, duePkOf, healthKey, indexes, SHARDS } from './table-keys.ts';
import { createWantingRows } from './wanting-rows.ts';

/** So many held deliveries of each shard are let go in one round. */
const HELD_AT_ONCE = 100;

export const createFanOutRows = (
  client: DynamoDBClient,
  tables: { readonly domain: string; readonly delivery: string },
  retentionDays: number,
  isOperational: (type: string) => boolean,
): FanOutStore => {
  return {
    ...createErasureRows(client, tables),
    oweAgain: createOwedRows(client, tables.delivery).oweAgain,
    ...createRecoveryRows(client, tables),
    wanting: createWantingRows(client, tables.domain, isOperational),

    async add(events, deliveries) {
      await executeStatements(client, [
        ...events.map((event) => insertStatement(tables.domain, eventToRow(event, retentionDays))),
        ...deliveries.map((delivery) => insertStatement(tables.delivery, deliveryRow(delivery))),
      ]);
    },

    async forgetFailing(webhookId) {
      await client.send(
        new UpdateItemCommand({
          TableName: tables.delivery,
          Key: marshall(healthKey(webhookId)),
          UpdateExpression: 'SET kind = :kind REMOVE failing_since, failing_pk, told',
          ExpressionAttributeValues: marshall({ ':kind': 'health' }),
        }),
      );
    },

    async resumeHeld(webhookId, askedBy, nowMs) {
      const pages = await Promise.all(
        Array.from({ length: SHARDS }, (_, shard) =>
          client.send(
            new QueryCommand({
              TableName: tables.delivery,
              IndexName: indexes.attention,
              KeyConditionExpression: 'att_pk = :pk',
              ExpressionAttributeValues: marshall({ ':pk': attentionPk(webhookId, shard, 'held') }),
              Limit: HELD_AT_ONCE,
            }),
          ),
        ),
      );
      const held = pages
        .flatMap(({ Items = [] }) => Items.map((item) => storedDeliverySchema.parse(unmarshall(item))))
        .filter(({ status }) => status === 'held');
      const resumed = held.map((delivery) => afterEnabling(delivery, nowMs));
      const outcomes = await executeStatements(
        client,
        resumed.map((after, index) =>
          updateStatement(
            tables.delivery,
            deliveryKey(after.id),
            {
              status: after.status,
              ticket: after.ticket,
              trigger: after.trigger,
              due_at: after.due_at,
              due_pk: duePkOf(after.id),
              att_pk: attentionPkOf(after.id, after.status),
              asked_by: askedBy,
            },
            { ticket: held[index]?.ticket },
          ),
        ),
      );
      const tickets: DeliveryTicket[] = resumed.filter((_, index) => outcomes[index] === 'done').map(ticketOf);
      return { tickets, hasMore: pages.some(({ LastEvaluatedKey }) => LastEvaluatedKey !== undefined) };
    },
  };
};
