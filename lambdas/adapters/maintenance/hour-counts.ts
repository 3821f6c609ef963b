import { type DynamoDBClient, QueryCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import { storedDeliverySchema } from '../../domain/deliveries/delivery.ts';
import { idBound, timeOfId, webhookOfDelivery } from '../../domain/foundation/id.ts';
import { ttlSeconds } from '../../domain/foundation/time.ts';
import type { CountHourStore, HourReader } from '../../domain/maintenance/count-hour.ts';
import { type Hour, hourAt, quietMs } from '../../domain/maintenance/hour.ts';
import { percentileMs } from '../../domain/maintenance/hour-counts.ts';
import { nullIfRefused } from '../aws/conditional-write.ts';
import { inBatches } from '../aws/retry.ts';
import { deliveryPk, hourDuePkOf, hourKey, SHARDS } from '../rows/table-keys.ts';

/** How many rows a page reads from each shard. A row takes about a kilobyte, so each shard gives about 250 KB. */
const ROWS_PER_SHARD = 250;
/**
 * The part of the quiet time (from an hour's end to the first count of its deliveries) in which a changed delivery needs no
 * mark for another count, because the first count comes later anyway.
 */
const MARGIN = 2 / 3;

/** How many hours are marked for a recount at the same time. */
const MARKS_AT_ONCE = 25;

/** Returns the `ttl`, in epoch seconds, of an hour's row: the end of the hour plus the retention and one day. */
const ttlOf = ({ endMs }: Hour, retentionDays: number): number => ttlSeconds(endMs, retentionDays + 1);

/** Updates the row of a webhook's hour if the condition holds. Returns false if the condition does not hold. */
const update = async (
  client: DynamoDBClient,
  table: string,
  [webhookId, { startMs }]: readonly [string, Hour],
  set: Readonly<Record<string, unknown>>,
  expected: { readonly condition: string; readonly values: Readonly<Record<string, number>> },
  remove = '',
): Promise<boolean> => {
  const fields = Object.entries(set);
  const assignments = fields.map(([name]) => `#${name} = :${name}`);
  const written = await nullIfRefused(
    client.send(
      new UpdateItemCommand({
        TableName: table,
        Key: marshall(hourKey(webhookId, startMs)),
        UpdateExpression: [...(fields.length > 0 ? [`SET ${assignments.join(', ')}`] : []), remove].join(' '),
        ConditionExpression: expected.condition,
        ...(fields.length > 0
          ? { ExpressionAttributeNames: Object.fromEntries(fields.map(([name]) => [`#${name}`, name])) }
          : {}),
        ExpressionAttributeValues: marshall({
          ...Object.fromEntries(fields.map(([name, value]) => [`:${name}`, value])),
          ...expected.values,
        }),
      }),
    ),
  );
  return written !== null;
};

/** Reads the delivery rows of an hour, newest first, one page of every shard at a time. */
export const createHourReader = (client: DynamoDBClient, table: string): HourReader => ({
  async read(webhookId, { startMs, endMs }, cursor) {
    const from = idBound('dlv', startMs);
    const end = idBound('dlv', endMs);
    const readShard = async (shard: number, after: string | null) => {
      if (after === null) return { found: [], next: null };
      const pk = deliveryPk(webhookId, shard);
      const { Items = [], LastEvaluatedKey } = await client.send(
        new QueryCommand({
          TableName: table,
          KeyConditionExpression: 'pk = :pk AND sk BETWEEN :from AND :end',
          ExpressionAttributeValues: marshall({ ':pk': pk, ':from': from, ':end': end }),
          ScanIndexForward: false,
          Limit: ROWS_PER_SHARD,
          ...(after === '' ? {} : { ExclusiveStartKey: marshall({ pk, sk: after }) }),
        }),
      );
      const rows = Items.map((item) => unmarshall(item));
      return {
        found: rows.map((row) => ({
          delivery: storedDeliverySchema.parse(row),
          isInDueIndex: row.due_pk !== undefined,
        })),
        next: LastEvaluatedKey ? String(unmarshall(LastEvaluatedKey).sk) : null,
      };
    };
    const pages = await Promise.all((cursor ?? Array<string>(SHARDS).fill('')).map((after, i) => readShard(i, after)));
    const next = pages.map((page) => page.next);
    return { found: pages.flatMap(({ found }) => found), next: next.every((after) => after === null) ? null : next };
  },
});

const NOT_DUE = 'REMOVE due_pk, due_at';

/** Writes the rows of hours: the counts of each hour, and the time at which the hour is counted again. */
export const createHourRows = (
  client: DynamoDBClient,
  table: string,
  retentionDays: number,
): Pick<CountHourStore, 'put' | 'close'> => {
  const close: CountHourStore['close'] = async (webhookId, hour, tickAtMs) => {
    const isDue = { condition: 'due_at <= :tick', values: { ':tick': tickAtMs } };
    await update(client, table, [webhookId, hour], {}, isDue, NOT_DUE);
  };

  return {
    close,

    async put(webhookId, hour, counts, { owner, againAtMs, tickAtMs }) {
      const { deliveries, delivered, dead, refused, open, last_success_at, last_failure_at } = counts;
      const set = {
        ...{ kind: 'hour', owner, deliveries, delivered, dead, refused, open, last_success_at, last_failure_at },
        p50_ms: percentileMs(counts, 0.5),
        p95_ms: percentileMs(counts, 0.95),
        counted_at: tickAtMs,
        ttl: ttlOf(hour, retentionDays),
        ...(againAtMs === null ? {} : { due_pk: hourDuePkOf(webhookId), due_at: againAtMs }),
      };
      // Does not store the counts if the hour was marked for a recount meanwhile, or if fewer deliveries were found
      // than before because the others have expired.
      const condition = `(attribute_not_exists(due_at) OR due_at <= :tick)
        AND (attribute_not_exists(deliveries) OR deliveries <= :deliveries)`;
      const expected = { condition, values: { ':tick': tickAtMs } };
      const isPut = await update(client, table, [webhookId, hour], set, expected, againAtMs === null ? NOT_DUE : '');
      if (!isPut) await close(webhookId, hour, tickAtMs);
    },
  };
};

export interface HourMarks {
  /**
   * Marks the hours of deliveries that change after their hour was counted (created late or redelivered), so that the
   * roll-up counts these hours again. An hour that is still to be counted for the first time is not marked.
   */
  markForRecount(deliveries: readonly { readonly id: string; readonly owner: string }[], nowMs: number): Promise<void>;
}

export const createHourMarks = (
  client: DynamoDBClient,
  table: string,
  retentionDays: number,
  speed: number,
): HourMarks => ({
  async markForRecount(deliveries, nowMs) {
    const marks = new Map<string, { webhookId: string; hour: Hour; owner: string }>();
    for (const { id, owner } of deliveries) {
      const hour = hourAt(timeOfId(id), speed);
      if (nowMs < hour.endMs + MARGIN * quietMs(speed)) continue;
      const webhookId = webhookOfDelivery(id);
      marks.set(`${webhookId} ${hour.startMs}`, { webhookId, hour, owner });
    }
    const soonMs = nowMs + quietMs(speed);
    const expected = {
      condition: 'attribute_not_exists(due_at) OR due_at > :due_at OR due_at <= :now',
      values: { ':now': nowMs },
    };
    const mark = ({ webhookId, hour, owner }: { webhookId: string; hour: Hour; owner: string }) => {
      const due = { due_pk: hourDuePkOf(webhookId), due_at: soonMs };
      const set = { kind: 'hour', owner, ...due, ttl: ttlOf(hour, retentionDays) };
      return update(client, table, [webhookId, hour], set, expected);
    };
    await inBatches([...marks.values()], MARKS_AT_ONCE, (batch) => Promise.all(batch.map(mark)), 1);
  },
});
