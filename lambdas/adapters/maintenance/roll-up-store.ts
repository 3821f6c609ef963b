import {
  type DynamoDBClient,
  GetItemCommand,
  QueryCommand,
  type QueryCommandInput,
  type QueryCommandOutput,
} from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import * as z from 'zod';
import type { RetentionStore } from '../../domain/maintenance/extend-event-retention.ts';
import { hourCountsSchema } from '../../domain/maintenance/hour-counts.ts';
import type { RollUpProgress, RollUpStore } from '../../domain/maintenance/roll-up.ts';
import { storedWebhookSchema } from '../../domain/webhooks/webhook.ts';
import { createCheckpoint } from '../aws/checkpoint.ts';
import { createHeldDeliveries } from '../deliveries/release-held.ts';
import {
  accountIdKey,
  hourDuePk,
  hourOfKey,
  indexes,
  rollUpProgressKey,
  SHARDS,
  webhookKey,
} from '../rows/table-keys.ts';
import { createEventRetention } from './event-retention.ts';
import { createHourReader, createHourRows } from './hour-counts.ts';

const progressSchema: z.ZodType<RollUpProgress> = z.object({
  hourMs: z.number(),
  position: z.object({ owner: z.string(), webhookId: z.string() }).nullable(),
  inHand: z
    .object({
      owner: z.string(),
      webhookId: z.string(),
      startMs: z.number(),
      isAgain: z.boolean(),
      read: z.object({ cursor: z.array(z.string().nullable()), counts: hourCountsSchema }).nullable(),
    })
    .nullable(),
});

/** Reads and saves the progress of the roll-up in its row. */
export const rollUpProgressRow = (client: DynamoDBClient, deliveryTable: string) =>
  createCheckpoint(client, deliveryTable, rollUpProgressKey, 'roll-up', progressSchema);

/** Reads and writes all rows that the roll-up needs. */
export const createRollUpStore = (
  client: DynamoDBClient,
  tables: { readonly domain: string; readonly delivery: string },
  retentionDays: number,
): RollUpStore & RetentionStore => {
  const progress = rollUpProgressRow(client, tables.delivery);
  /** Reads all rows of a query, page by page. */
  async function* rows(input: QueryCommandInput): AsyncGenerator<Record<string, unknown>> {
    let start: QueryCommandOutput['LastEvaluatedKey'];
    do {
      const page: QueryCommandOutput = await client.send(new QueryCommand({ ...input, ExclusiveStartKey: start }));
      for (const item of page.Items ?? []) yield unmarshall(item);
      start = page.LastEvaluatedKey;
    } while (start);
  }

  return {
    ...createHourReader(client, tables.delivery),
    ...createHourRows(client, tables.delivery, retentionDays),
    ...createEventRetention(client, tables, retentionDays),
    ...createHeldDeliveries(client, tables.delivery, retentionDays),
    progress: progress.read,
    saveProgress: progress.save,

    async *accounts(after) {
      const { pk } = accountIdKey('');
      const idRows = rows({
        TableName: tables.delivery,
        KeyConditionExpression: 'pk = :pk AND sk > :after',
        ExpressionAttributeValues: marshall({ ':pk': pk, ':after': after ?? 'acc_' }),
        ProjectionExpression: 'sk',
      });
      for await (const { sk } of idRows) yield String(sk);
    },

    async *webhookIds(owner, after, deletedSinceMs) {
      const { pk } = webhookKey(owner, '');
      const webhookRows = rows({
        TableName: tables.domain,
        KeyConditionExpression: 'pk = :pk AND sk BETWEEN :after AND :last',
        ExpressionAttributeValues: marshall({ ':pk': pk, ':after': after || 'whk_', ':last': 'whk_~' }),
        ProjectionExpression: 'sk, is_history_erased, deleted_at',
      });
      for await (const { sk, is_history_erased, deleted_at } of webhookRows) {
        const isLongDeleted = Boolean(deleted_at) && Date.parse(String(deleted_at)) < deletedSinceMs;
        if (sk !== after && is_history_erased !== true && !isLongDeleted) yield String(sk);
      }
    },

    async webhook(owner, id) {
      const { Item } = await client.send(
        new GetItemCommand({ TableName: tables.domain, Key: marshall(webhookKey(owner, id)), ConsistentRead: true }),
      );
      return Item ? storedWebhookSchema.parse(unmarshall(Item)) : null;
    },

    async *dueAgain(tickAtMs) {
      for (let shard = 0; shard < SHARDS; shard++) {
        const hourRows = rows({
          TableName: tables.delivery,
          IndexName: indexes.due,
          KeyConditionExpression: 'due_pk = :pk AND due_at <= :tick',
          ExpressionAttributeValues: marshall({ ':pk': hourDuePk(shard), ':tick': tickAtMs }),
        });
        for await (const { owner, ...key } of hourRows) yield { owner: String(owner), ...hourOfKey(key) };
      }
    },
  };
};
