import { BatchWriteItemCommand, type DynamoDBClient, QueryCommand, type WriteRequest } from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import type { CommandStore } from '../../domain/fan-out/run-command.ts';
import { inBatches, retryRemaining, tablesAreBusy } from '../aws/retry.ts';
import { executeStatements, insertStatement } from '../aws/statements.ts';
import { commandToRow } from '../rows/command-row.ts';
import { attemptKey, deliveryPk, healthKey, type Key, SHARDS } from '../rows/table-keys.ts';

/** So many deliveries of each shard go in one step: some thousand rows at most. */
const DELIVERIES_AT_ONCE = 100;
/** DynamoDB takes at most 25 in one call. */
const BATCH = 25;

/** Takes a deleted webhook's history out of the delivery table, step by step. */
export const createHistoryEraser = (
  client: DynamoDBClient,
  tables: { readonly domain: string; readonly delivery: string },
): Pick<CommandStore, 'erasePage' | 'addCommand'> => {
  const removeBatch = (requests: readonly WriteRequest[]): Promise<void> =>
    retryRemaining(
      requests,
      async (open) => {
        const request = new BatchWriteItemCommand({ RequestItems: { [tables.delivery]: [...open] } });
        const { UnprocessedItems } = await client.send(request);
        return UnprocessedItems?.[tables.delivery] ?? [];
      },
      tablesAreBusy,
    );

  const remove = async (keys: readonly Key[]): Promise<void> => {
    const requests = keys.map((key) => ({ DeleteRequest: { Key: marshall(key) } }));
    await inBatches(requests, BATCH, removeBatch);
  };

  const firstOf = async (pk: string) => {
    const { Items = [], LastEvaluatedKey } = await client.send(
      new QueryCommand({
        TableName: tables.delivery,
        KeyConditionExpression: 'pk = :pk',
        ExpressionAttributeValues: marshall({ ':pk': pk }),
        ProjectionExpression: 'pk, sk, attempts_made',
        ConsistentRead: true,
        Limit: DELIVERIES_AT_ONCE,
      }),
    );
    const rows = Items.map((item) => unmarshall(item) as Key & { readonly attempts_made?: number });
    return { rows, hasMore: LastEvaluatedKey !== undefined };
  };

  return {
    async erasePage(webhookId) {
      const shards = Array.from({ length: SHARDS }, (_, shard) => deliveryPk(webhookId, shard));
      const found = await Promise.all(shards.map(firstOf));
      const rows = found.flatMap((page) => page.rows);
      // Attempts first: it is by their delivery's row that they are found.
      const attempts = rows.flatMap(({ sk, attempts_made = 0 }) =>
        Array.from({ length: attempts_made }, (_, index) => attemptKey(sk, index + 1)),
      );
      await remove(attempts);
      await remove(rows.map(({ pk, sk }) => ({ pk, sk })));
      const hasMore = found.some((page) => page.hasMore);
      if (hasMore) return { hasMore };
      // What the engine knew of the receiver: health, pace, counts.
      const known = await firstOf(healthKey(webhookId).pk);
      await remove(known.rows.map(({ pk, sk }) => ({ pk, sk })));
      return { hasMore: known.hasMore };
    },

    async addCommand(command, nowMs) {
      await executeStatements(client, [insertStatement(tables.domain, commandToRow(command, nowMs))]);
    },
  };
};
