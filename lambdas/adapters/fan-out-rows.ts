import { type DynamoDBClient, QueryCommand } from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import { afterEnabling } from '../domain/after-attempt.ts';
import { type DeliveryTicket, type StoredDelivery, storedDeliverySchema } from '../domain/delivery.ts';
import type { StoredEvent } from '../domain/event.ts';
import { type FanOutStore, ticketOf, type Wanting } from '../domain/fan-out.ts';
import { batchGet } from './batch-get.ts';
import { executeStatements, insertStatement, updateStatement } from './partiql.ts';
import {
  attentionPk,
  attentionPkOf,
  deliveryKey,
  duePkOf,
  eventKey,
  indexes,
  routingKey,
  SHARDS,
} from './table-keys.ts';

const EVERYTHING = '*';
/** So many held deliveries of each shard are let go in one round. */
const HELD_AT_ONCE = 100;

const wantingFrom = (row: Record<string, unknown> | null): Wanting[] =>
  [...((row?.webhooks as Set<string> | undefined) ?? [])].map((entry) => {
    const [webhookId = '', resource = ''] = entry.split(/\|(.*)/s);
    return { webhookId, resource: resource === '' ? null : resource };
  });

export const createFanOutRows = (
  client: DynamoDBClient,
  tables: { readonly domain: string; readonly delivery: string },
  retentionDays: number,
  isOperational: (type: string) => boolean,
): FanOutStore => {
  const eventRow = (event: StoredEvent) => ({
    ...eventKey(event.owner, event.id),
    kind: 'event',
    ...event,
    // The longest schedule lasts 14 days; until its last attempt a delivery needs its event.
    ttl: Math.ceil(Date.parse(event.created_at) / 1000) + (retentionDays + 14) * 86_400,
  });

  const deliveryRow = (delivery: StoredDelivery) => ({
    ...deliveryKey(delivery.id),
    kind: 'delivery',
    ...delivery,
    // What the schema has a default for needs no room.
    step: null,
    attempts_made: null,
    parked: null,
    has_slot: null,
    trigger: null,
  });

  return {
    async wanting(events) {
      const keysOf = ({ owner, type }: StoredEvent) => [
        routingKey(owner, type),
        ...(isOperational(type) ? [] : [routingKey(owner, EVERYTHING)]),
      ];
      const find = await batchGet(
        client,
        events.flatMap(keysOf).map((key) => ({ table: tables.domain, key, isConsistent: true })),
      );
      return events.map((event) => keysOf(event).flatMap((key) => wantingFrom(find(tables.domain, key))));
    },

    async add(events, deliveries) {
      await executeStatements(client, [
        ...events.map((event) => insertStatement(tables.domain, eventRow(event))),
        ...deliveries.map((delivery) => insertStatement(tables.delivery, deliveryRow(delivery))),
      ]);
    },

    async resumeHeld(webhookId, nowMs) {
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
