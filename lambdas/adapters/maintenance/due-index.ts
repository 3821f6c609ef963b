import {
  type DynamoDBClient,
  QueryCommand,
  type QueryCommandInput,
  type QueryCommandOutput,
} from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import * as z from 'zod';
import type {
  DueEntry,
  DueIndex,
  DuePosition,
  DueRange,
  SweepProgress,
  SweepStore,
} from '../../domain/maintenance/due-tick.ts';
import { createCheckpoint } from '../aws/checkpoint.ts';
import { executeStatements, updateStatement } from '../aws/statements.ts';
import { unparkUpdate } from '../rows/delivery-row.ts';
import { deliveryKey, duePk, indexes, sweepProgressKey } from '../rows/table-keys.ts';

const entrySchema = z
  .object({
    sk: z.string(),
    ticket: z.number(),
    parked: z.boolean().default(false),
    owner: z.string(),
    event_id: z.string(),
    due_at: z.number(),
  })
  .transform(
    ({ sk, ticket, parked, owner, event_id, due_at }): DueEntry => ({
      deliveryId: sk,
      ticket,
      parked,
      owner,
      eventId: event_id,
      dueAtMs: due_at,
    }),
  );

const progressSchema: z.ZodType<SweepProgress> = z.object({
  parkedUntilMs: z.number(),
  round: z.object({
    fromMs: z.number(),
    untilMs: z.number(),
    positions: z.array(
      z
        .object({
          doubling: z.number(),
          after: z.object({ dueAtMs: z.number(), deliveryId: z.string() }).nullable(),
        })
        .nullable(),
    ),
  }),
});

/** Reads and saves the progress of the due tick in its row. */
export const createSweepStore = (client: DynamoDBClient, deliveryTable: string): SweepStore => {
  const row = createCheckpoint(client, deliveryTable, sweepProgressKey, 'due-sweep', progressSchema);
  return { progress: row.read, saveProgress: row.save };
};

/**
 * The maximum number of entries of the due index that a read yields at a time. The tick checks its time after every such
 * group, when it has sent 25 messages of ten tickets for each shard.
 */
const ENTRIES_AT_ONCE = 250;

/** Returns the key of an entry in the due index, from which a query continues. */
const keyOf = (shard: number, { dueAtMs, deliveryId }: DuePosition) =>
  marshall({ ...deliveryKey(deliveryId), due_pk: duePk(shard), due_at: dueAtMs });

/**
 * Access to the due index. `read` lists deliveries that wait for an attempt. `unpark` records that parked deliveries,
 * which waited too long for an SQS delay, now have a queue message.
 */
export const createDueIndex = (client: DynamoDBClient, deliveryTable: string): DueIndex => {
  /** Queries a range of a shard, page by page. A range without due times is not queried. */
  async function* query(
    shard: number,
    { afterMs, untilMs }: DueRange,
    more: Partial<QueryCommandInput> = {},
  ): AsyncGenerator<QueryCommandOutput> {
    let start = more.ExclusiveStartKey;
    do {
      if (untilMs <= afterMs) return;
      const page: QueryCommandOutput = await client.send(
        new QueryCommand({
          TableName: deliveryTable,
          IndexName: indexes.due,
          KeyConditionExpression: 'due_pk = :pk AND due_at BETWEEN :from AND :to',
          ...more,
          ExpressionAttributeValues: {
            ...marshall({ ':pk': duePk(shard), ':from': afterMs + 1, ':to': untilMs }),
            ...more.ExpressionAttributeValues,
          },
          ExclusiveStartKey: start,
        }),
      );
      yield page;
      start = page.LastEvaluatedKey;
    } while (start);
  }

  async function* entries(...request: Parameters<typeof query>): AsyncGenerator<readonly DueEntry[]> {
    for await (const { Items = [] } of query(...request)) {
      for (let start = 0; start < Items.length; start += ENTRIES_AT_ONCE) {
        yield Items.slice(start, start + ENTRIES_AT_ONCE).map((item) => entrySchema.parse(unmarshall(item)));
      }
    }
  }

  return {
    parked: (shard, range) =>
      entries(shard, range, {
        FilterExpression: 'parked = :parked',
        ExpressionAttributeValues: { ':parked': { BOOL: true } },
      }),

    overdue: (shard, range, after) => entries(shard, range, after ? { ExclusiveStartKey: keyOf(shard, after) } : {}),

    async backlog(shard, nowMs, isOver) {
      const range = { afterMs: -1, untilMs: nowMs };
      let count = 0;
      for await (const page of query(shard, range, { Select: 'COUNT' })) {
        count += page.Count ?? 0;
        if (isOver()) break;
      }
      if (count === 0) return { count, oldestDueMs: null };
      const { value: first } = await query(shard, range, { Limit: 1 }).next();
      return { count, oldestDueMs: Number(first?.Items?.[0]?.due_at?.N ?? nowMs) };
    },

    async unpark(parked) {
      await executeStatements(
        client,
        parked.map(({ deliveryId, ticket }) => updateStatement(deliveryTable, unparkUpdate(deliveryId, ticket))),
      );
    },
  };
};
