import {
  ConditionalCheckFailedException,
  type DynamoDBClient,
  QueryCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import * as z from 'zod';
import { type DeliveryStatus, storedDeliverySchema } from '../../domain/deliveries/delivery.ts';
import { cancelDelivery } from '../../domain/deliveries/transitions.ts';
import { idBound, timeOfId } from '../../domain/foundation/id.ts';
import { retentionOf, SCHEDULE_DAYS } from '../../domain/foundation/retention.ts';
import type {
  EventReference,
  RetentionProgress,
  RetentionStore,
} from '../../domain/maintenance/extend-event-retention.ts';
import { batchGet } from '../aws/batch-get.ts';
import { createProgressRow } from '../aws/checkpoint.ts';
import { executeStatements, updateStatement } from '../aws/statements.ts';
import {
  attentionPk,
  attentionPkOf,
  deliveryKey,
  eventKey,
  indexes,
  retentionProgressKey,
  SHARDS,
} from '../rows/table-keys.ts';

const DAY_SECONDS = 86_400;
/** An event lives for the retention, a day at least, and a schedule more: a younger one lives through another anyway. */
const YOUNG_MS = DAY_SECONDS * 1000;
/** What would not live for another schedule lives so long: the longer, the fewer writes; the shorter, the sooner it goes once it is not needed. */
const KEPT_DAYS = 30;
const DELIVERIES_AT_ONCE = 100;
/** So many events are written side by side. */
const EVENTS_AT_ONCE = 25;

const progressSchema: z.ZodType<RetentionProgress> = z.object({
  startedMs: z.number(),
  isOver: z.boolean(),
  position: z.object({ owner: z.string(), webhookId: z.string() }).nullable(),
  cursor: z.object({ list: z.number(), after: z.string().nullable() }).nullable(),
});

/** In the order in which a delivery goes through them: one that changes meanwhile is still ahead. A first attempt that was never put off stands in none. */
const STATUSES: readonly DeliveryStatus[] = ['pending', 'failed', 'held'];
const LISTS = STATUSES.flatMap((status) => Array.from({ length: SHARDS }, (_, shard) => ({ status, shard })));

/** Lets events live on that something is owed of, where they would end before a whole schedule is over. What has expired or was erased stays so. */
export const createEventExtender =
  (client: DynamoDBClient, domainTable: string): RetentionStore['extendEvents'] =>
  async (owed: readonly EventReference[], nowMs) => {
    const nowSeconds = Math.floor(nowMs / 1000);
    const neededUntil = nowSeconds + SCHEDULE_DAYS * DAY_SECONDS;
    const keys = [
      ...new Map(
        owed
          .filter(({ id }) => timeOfId(id) < nowMs - YOUNG_MS)
          .map(({ owner, event_id }) => [event_id, eventKey(owner, event_id)]),
      ).values(),
    ];
    const find = await batchGet(
      client,
      keys.map((key) => ({ table: domainTable, key, isConsistent: false })),
    );
    const ending = keys.filter((key) => {
      const row = find(domainTable, key);
      const ttl = Number(row?.ttl ?? Number.POSITIVE_INFINITY);
      return row?.payload_deleted_at === undefined && ttl > nowSeconds && ttl < neededUntil;
    });

    const letLive = async (key: (typeof keys)[number]): Promise<void> => {
      try {
        await client.send(
          new UpdateItemCommand({
            TableName: domainTable,
            Key: marshall(key),
            UpdateExpression: 'SET #ttl = :until',
            ConditionExpression: '#ttl > :now AND #ttl < :needed AND attribute_not_exists(payload_deleted_at)',
            ExpressionAttributeNames: { '#ttl': 'ttl' },
            ExpressionAttributeValues: marshall({
              ':until': nowSeconds + KEPT_DAYS * DAY_SECONDS,
              ':now': nowSeconds,
              ':needed': neededUntil,
            }),
          }),
        );
      } catch (error) {
        // Another was first, or nothing is left to keep.
        if (!(error instanceof ConditionalCheckFailedException)) throw error;
      }
    };
    for (let i = 0; i < ending.length; i += EVENTS_AT_ONCE) {
      await Promise.all(ending.slice(i, i + EVENTS_AT_ONCE).map(letLive));
    }
    return ending.length;
  };

/** What a webhook is owed or held, older events first, with all that keeps it from being lost. */
export const createEventRetention = (
  client: DynamoDBClient,
  tables: { readonly domain: string; readonly delivery: string },
  retentionDays: number,
): Pick<
  RetentionStore,
  'retentionProgress' | 'saveRetentionProgress' | 'openDeliveries' | 'extendEvents' | 'cancelHeld'
> => {
  const progress = createProgressRow(client, tables.delivery, retentionProgressKey, progressSchema);
  return {
    retentionProgress: progress.read,
    saveRetentionProgress: progress.save,
    extendEvents: createEventExtender(client, tables.domain),

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
            ':until': idBound('dlv', nowMs - YOUNG_MS),
          }),
          Limit: DELIVERIES_AT_ONCE,
        }),
      );
      const found = Items.map((item) => storedDeliverySchema.parse(unmarshall(item))).filter(({ id }) => id !== after);
      if (LastEvaluatedKey) return { found, next: { list, after: String(unmarshall(LastEvaluatedKey).sk) } };
      return { found, next: list + 1 < LISTS.length ? { list: list + 1, after: null } : null };
    },

    async cancelHeld(held, nowMs) {
      const outcomes = await executeStatements(
        client,
        held.map((before) => {
          const { id, status, ticket, settled_at, retention_days } = cancelDelivery(before, nowMs);
          const keptSeconds = retentionOf(retention_days, retentionDays) * DAY_SECONDS;
          return updateStatement(
            tables.delivery,
            deliveryKey(id),
            {
              status,
              ticket,
              settled_at,
              ttl: Math.ceil(nowMs / 1000) + keptSeconds,
              att_pk: attentionPkOf(id, status),
            },
            { ticket: before.ticket },
          );
        }),
      );
      return outcomes.filter((outcome) => outcome === 'done').length;
    },
  };
};
