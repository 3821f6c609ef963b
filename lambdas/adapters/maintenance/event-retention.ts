import { type DynamoDBClient, QueryCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import * as z from 'zod';
import { type DeliveryStatus, storedDeliverySchema } from '../../domain/deliveries/delivery.ts';
import { cancelDelivery } from '../../domain/deliveries/transitions.ts';
import { idBound, timeOfId } from '../../domain/foundation/id.ts';
import { SCHEDULE_DAYS } from '../../domain/foundation/retention.ts';
import { DAY_MS, DAY_SECONDS, SECOND_MS } from '../../domain/foundation/time.ts';
import type { RetentionProgress, RetentionStore } from '../../domain/maintenance/extend-event-retention.ts';
import { batchGet } from '../aws/batch-get.ts';
import { createCheckpoint } from '../aws/checkpoint.ts';
import { nullIfRefused } from '../aws/conditional-write.ts';
import { inBatches } from '../aws/retry.ts';
import { executeStatements, updateStatement } from '../aws/statements.ts';
import { deliveryUpdate } from '../rows/delivery-row.ts';
import { attentionPk, eventKey, indexes, type Key, retentionProgressKey, SHARDS } from '../rows/table-keys.ts';

/**
 * The age of an event, in milliseconds, from which its retention is extended. A younger event exists for the whole
 * schedule of its deliveries, because an event is stored for the retention (at least a day) and one longest schedule.
 */
const MIN_EVENT_AGE_MS = DAY_MS;
/**
 * Days for which an event is stored, counted from its extension. More days mean fewer writes; fewer days mean that the
 * event is deleted sooner.
 */
const EXTENSION_DAYS = 30;
const DELIVERIES_PER_PAGE = 100;
/** For how many events the retention is extended at the same time. */
const EVENTS_AT_ONCE = 25;

const progressSchema: z.ZodType<RetentionProgress> = z.object({
  startedMs: z.number(),
  isOver: z.boolean(),
  position: z.object({ owner: z.string(), webhookId: z.string() }).nullable(),
  cursor: z.object({ list: z.number(), after: z.string().nullable() }).nullable(),
});

/**
 * The statuses of unfinished deliveries in the order in which a delivery takes them, so that a delivery whose status
 * changes while the lists are read appears in a later list. A delivery that waits for its first attempt is in no list
 * of the attention index.
 */
const STATUSES: readonly DeliveryStatus[] = ['pending', 'failed', 'held'];
const LISTS = STATUSES.flatMap((status) => Array.from({ length: SHARDS }, (_, shard) => ({ status, shard })));

export type EventExtension = Pick<RetentionStore, 'extendEvents'>;

/**
 * Extends the retention of events that unfinished deliveries need and that would expire before a whole schedule is
 * over.
 */
export const createEventExtension = (client: DynamoDBClient, domainTable: string): EventExtension => {
  const extend = (key: Key, nowSeconds: number, neededUntil: number): Promise<unknown> =>
    // Changes nothing if another invocation has already extended the event's retention, or if the event has expired or
    // its payload was deleted.
    nullIfRefused(
      client.send(
        new UpdateItemCommand({
          TableName: domainTable,
          Key: marshall(key),
          UpdateExpression: 'SET #ttl = :until',
          ConditionExpression: '#ttl > :now AND #ttl < :needed AND attribute_not_exists(payload_deleted_at)',
          ExpressionAttributeNames: { '#ttl': 'ttl' },
          ExpressionAttributeValues: marshall({
            ':until': nowSeconds + EXTENSION_DAYS * DAY_SECONDS,
            ':now': nowSeconds,
            ':needed': neededUntil,
          }),
        }),
      ),
    );

  return {
    async extendEvents(deliveries, nowMs) {
      const nowSeconds = Math.floor(nowMs / SECOND_MS);
      const neededUntil = nowSeconds + SCHEDULE_DAYS * DAY_SECONDS;
      const old = deliveries.filter(({ id }) => timeOfId(id) < nowMs - MIN_EVENT_AGE_MS);
      const keys = [...new Map(old.map(({ owner, event_id }) => [event_id, eventKey(owner, event_id)])).values()];
      const find = await batchGet(
        client,
        keys.map((key) => ({ table: domainTable, key, isConsistent: false })),
      );
      const expiring = keys.filter((key) => {
        const row = find(domainTable, key);
        const ttl = Number(row?.ttl ?? Number.POSITIVE_INFINITY);
        return row?.payload_deleted_at === undefined && ttl > nowSeconds && ttl < neededUntil;
      });
      const extendAll = (batch: readonly Key[]) =>
        Promise.all(batch.map((key) => extend(key, nowSeconds, neededUntil)));
      await inBatches(expiring, EVENTS_AT_ONCE, extendAll, 1);
      return expiring.length;
    },
  };
};

/**
 * Reads a webhook's unfinished deliveries that are older than a day, oldest first, extends the retention of their
 * events, cancels held deliveries, and stores the progress of this work.
 */
export const createEventRetention = (
  client: DynamoDBClient,
  tables: { readonly domain: string; readonly delivery: string },
  retentionDays: number,
): Pick<
  RetentionStore,
  'retentionProgress' | 'saveRetentionProgress' | 'openDeliveries' | 'extendEvents' | 'cancelHeld'
> => {
  const progress = createCheckpoint(client, tables.delivery, retentionProgressKey, 'roll-up', progressSchema);
  return {
    retentionProgress: progress.read,
    saveRetentionProgress: progress.save,
    ...createEventExtension(client, tables.domain),

    async openDeliveries(webhookId, cursor, nowMs) {
      const { list, after } = cursor ?? { list: 0, after: null };
      const { status, shard } = LISTS[list] ?? { status: 'held', shard: 0 };
      const { Items = [], LastEvaluatedKey } = await client.send(
        new QueryCommand({
          TableName: tables.delivery,
          IndexName: indexes.attention,
          KeyConditionExpression: 'att_pk = :pk AND sk BETWEEN :after AND :until',
          ExpressionAttributeValues: marshall({
            ':pk': attentionPk(webhookId, shard, status),
            ':after': after ?? 'dlv_',
            ':until': idBound('dlv', nowMs - MIN_EVENT_AGE_MS),
          }),
          Limit: DELIVERIES_PER_PAGE,
        }),
      );
      const deliveries = Items.map((item) => storedDeliverySchema.parse(unmarshall(item))).filter(
        ({ id }) => id !== after,
      );
      if (LastEvaluatedKey)
        return { found: deliveries, next: { list, after: String(unmarshall(LastEvaluatedKey).sk) } };
      return { found: deliveries, next: list + 1 < LISTS.length ? { list: list + 1, after: null } : null };
    },

    async cancelHeld(held, nowMs) {
      const changes = held.map((before) => ({ before, after: cancelDelivery(before, nowMs) }));
      const outcomes = await executeStatements(
        client,
        changes.map((change) => updateStatement(tables.delivery, deliveryUpdate(change, retentionDays))),
      );
      return outcomes.filter((outcome) => outcome === 'done').length;
    },
  };
};
