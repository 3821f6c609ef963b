import {
  type DynamoDBClient,
  QueryCommand,
  type QueryCommandInput,
  type QueryCommandOutput,
} from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import * as z from 'zod';
import type { DueEntry, DueIndex } from '../../domain/maintenance/sweep-due.ts';
import { executeStatements, updateStatement } from '../aws/statements.ts';
import { unparkUpdate } from '../rows/delivery-row.ts';
import { duePk, indexes } from '../rows/table-keys.ts';

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

/**
 * Access to the due index. `read` lists deliveries that wait for an attempt. `unpark` records that parked deliveries,
 * which waited too long for an SQS delay, now have a queue message.
 */
export const createDueIndex = (client: DynamoDBClient, deliveryTable: string): DueIndex => {
  async function* pages(
    shard: number,
    range: { readonly fromMs: number; readonly toMs: number },
    filter: Pick<QueryCommandInput, 'FilterExpression'>,
  ): AsyncGenerator<readonly DueEntry[]> {
    let start: QueryCommandOutput['LastEvaluatedKey'];
    do {
      const page: QueryCommandOutput = await client.send(
        new QueryCommand({
          TableName: deliveryTable,
          IndexName: indexes.due,
          KeyConditionExpression: 'due_pk = :pk AND due_at BETWEEN :from AND :to',
          ...filter,
          ExpressionAttributeValues: marshall({
            ':pk': duePk(shard),
            ':from': range.fromMs,
            ':to': range.toMs,
            ...(filter.FilterExpression ? { ':parked': true } : {}),
          }),
          ExclusiveStartKey: start,
        }),
      );
      if (page.Items?.length) yield page.Items.map((item) => entrySchema.parse(unmarshall(item)));
      start = page.LastEvaluatedKey;
    } while (start);
  }

  return {
    async *read(shard, nowMs, parkedUntilMs) {
      yield* pages(shard, { fromMs: 0, toMs: nowMs }, {});
      yield* pages(shard, { fromMs: nowMs + 1, toMs: parkedUntilMs }, { FilterExpression: 'parked = :parked' });
    },

    async unpark(entries) {
      await executeStatements(
        client,
        entries.map(({ deliveryId, ticket }) => updateStatement(deliveryTable, unparkUpdate(deliveryId, ticket))),
      );
    },
  };
};
