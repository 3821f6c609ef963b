import { type DynamoDBClient, QueryCommand } from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import {
  type Attempt,
  attemptSchema,
  type StoredDelivery,
  storedDeliverySchema,
} from '../../domain/deliveries/delivery.ts';
import { idBound } from '../../domain/foundation/id.ts';
import { mergedPage, type ReadRange } from '../../domain/foundation/merged-page.ts';
import type { DeliveryFilter, DeliveryHistory } from '../../domain/history/read-deliveries.ts';
import { batchGet } from '../aws/batch-get.ts';
import { isExpired } from '../rows/row.ts';
import { attemptKey, attentionPk, deliveryKey, deliveryPk, indexes, SHARDS } from '../rows/table-keys.ts';

/** The maximum number of rows that one list call reads, whether they match the filter or not. */
const MAX_ROWS_READ = 1000;
/**
 * The statuses that are listed from the attention index. A delivery whose first attempt succeeds never enters the
 * index.
 */
const ATTENTION_STATUSES: ReadonlySet<string> = new Set(['failed', 'dead', 'held', 'cancelled']);

const toDelivery = (row: unknown): StoredDelivery => storedDeliverySchema.parse(row);

/** Reads recorded deliveries and attempts. Expired rows are left out. */
export const createDeliveryHistory = (client: DynamoDBClient, table: string): DeliveryHistory => {
  const shardRun = (
    webhookId: string,
    shard: number,
    filter: DeliveryFilter,
    nowMs: number,
  ): ReadRange<StoredDelivery> => {
    const { status, event_type, since, until } = filter;
    const index = status !== undefined && ATTENTION_STATUSES.has(status) ? indexes.attention : null;
    const pk = index ? attentionPk(webhookId, shard, status ?? '') : deliveryPk(webhookId, shard);
    const conditions = [...(status ? ['#status = :status'] : []), ...(event_type ? ['event_type = :type'] : [])];
    const from = idBound('dlv', since ?? 0);
    const end = until === undefined ? 'dlv_~' : idBound('dlv', until);

    return async (after, atMost) => {
      const to = after && after.id < end ? after.id : end;
      // Returns no rows for an empty range, because DynamoDB rejects BETWEEN with a lower bound above the upper bound.
      if (from > to) return { items: [], examined: 0, reached: null };
      const {
        Items = [],
        ScannedCount = 0,
        LastEvaluatedKey,
      } = await client.send(
        new QueryCommand({
          TableName: table,
          KeyConditionExpression: '#pk = :pk AND sk BETWEEN :from AND :to',
          ExpressionAttributeNames: { '#pk': index ? 'att_pk' : 'pk', ...(status ? { '#status': 'status' } : {}) },
          ExpressionAttributeValues: marshall({
            ':pk': pk,
            ':from': from,
            ':to': to,
            ...(status ? { ':status': status } : {}),
            ...(event_type ? { ':type': event_type } : {}),
          }),
          ...(conditions.length > 0 ? { FilterExpression: conditions.join(' AND ') } : {}),
          ...(index ? { IndexName: index } : { ConsistentRead: true }),
          ScanIndexForward: false,
          // Reads at least two rows, because the first row may be the last row of the previous page.
          Limit: Math.max(2, atMost),
        }),
      );
      return {
        items: Items.map((item) => unmarshall(item))
          .filter((row) => row.sk !== after?.id && !isExpired(row, nowMs))
          .map(toDelivery),
        examined: ScannedCount,
        reached: LastEvaluatedKey ? { at: '', id: String(unmarshall(LastEvaluatedKey).sk) } : null,
      };
    };
  };

  const lastAttempts = async (deliveries: readonly StoredDelivery[]) => {
    const keyOf = ({ id, last }: StoredDelivery) => attemptKey(id, last?.number ?? 0);
    const find = await batchGet(
      client,
      deliveries.map((delivery) => ({ table, key: keyOf(delivery), isConsistent: true })),
    );
    return (delivery: StoredDelivery): Attempt | null => {
      const row = find(table, keyOf(delivery));
      return row ? attemptSchema.parse(row) : null;
    };
  };

  return {
    list(webhookId, filter, { limit, after, nowMs }) {
      return mergedPage({
        ranges: Array.from({ length: SHARDS }, (_, shard) => shardRun(webhookId, shard, filter, nowMs)),
        positionOf: ({ id }) => ({ at: '', id }),
        after: after && { at: '', id: after.id },
        limit,
        examineAtMost: MAX_ROWS_READ,
        isFiltered: filter.status !== undefined || filter.event_type !== undefined,
      });
    },

    async find(ids, nowMs) {
      const rows = await batchGet(
        client,
        ids.map((id) => ({ table, key: deliveryKey(id), isConsistent: true })),
      );
      return ids.flatMap((id) => {
        const row = rows(table, deliveryKey(id));
        return row && !isExpired(row, nowMs) ? [toDelivery(row)] : [];
      });
    },

    async withBodies(deliveries) {
      const lastOf = await lastAttempts(deliveries.filter(({ last }) => last?.has_body_row));
      return deliveries.map((delivery) =>
        delivery.last?.has_body_row ? { ...delivery, last: lastOf(delivery) ?? delivery.last } : delivery,
      );
    },

    async attempts({ id, last }, nowMs) {
      const stored: Attempt[] = [];
      let start: Record<string, unknown> | undefined;
      do {
        const page = await client.send(
          new QueryCommand({
            TableName: table,
            KeyConditionExpression: 'pk = :pk AND begins_with(sk, :attempt)',
            ExpressionAttributeValues: marshall({ ':pk': id, ':attempt': 'A#' }),
            ConsistentRead: true,
            ...(start ? { ExclusiveStartKey: marshall(start) } : {}),
          }),
        );
        // Leaves out the placeholder of an attempt that was under way when the payload of its event was erased.
        const rows = (page.Items ?? [])
          .map((item) => unmarshall(item))
          .filter((row) => !isExpired(row, nowMs) && row.is_placeholder !== true);
        stored.push(...rows.map((row) => attemptSchema.parse(row)));
        start = page.LastEvaluatedKey && unmarshall(page.LastEvaluatedKey);
      } while (start);
      // Adds the last attempt from the delivery's row to the attempts that have rows of their own, unless the last
      // attempt has such a row because of its long body.
      const lastIsStored = stored.some(({ number }) => number === last?.number);
      const all = last && !lastIsStored ? [...stored, last] : stored;
      return all.toSorted((a, b) => a.number - b.number);
    },
  };
};
