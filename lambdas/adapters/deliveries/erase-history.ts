import { type DynamoDBClient, QueryCommand } from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import type { CommandStore } from '../../domain/fan-out/run-command.ts';
import { deleteRowsOf } from '../aws/delete-rows.ts';
import { executeStatements, insertStatement } from '../aws/statements.ts';
import { commandToRow } from '../rows/command-row.ts';
import { attemptKey, deliveryPk, healthKey, type Key, SHARDS } from '../rows/table-keys.ts';

/**
 * The maximum number of deliveries of each shard that one page erases. With their attempts, a page erases a few
 * thousand rows at most.
 */
const DELIVERIES_PER_SHARD = 100;

/**
 * Erases the history of a deleted webhook from the delivery table, page by page. `addCommand` writes the command that
 * starts the next page.
 */
export const createHistoryEraser = (
  client: DynamoDBClient,
  tables: { readonly domain: string; readonly delivery: string },
): Pick<CommandStore, 'erasePage' | 'addCommand'> => {
  const deleteRows = (keys: readonly Key[]) => deleteRowsOf(client, tables.delivery, keys);

  const readFirstPage = async (pk: string) => {
    const { Items = [], LastEvaluatedKey } = await client.send(
      new QueryCommand({
        TableName: tables.delivery,
        KeyConditionExpression: 'pk = :pk',
        ExpressionAttributeValues: marshall({ ':pk': pk }),
        ProjectionExpression: 'pk, sk, attempts_made',
        ConsistentRead: true,
        Limit: DELIVERIES_PER_SHARD,
      }),
    );
    const rows = Items.map((item) => unmarshall(item) as Key & { readonly attempts_made?: number });
    return { rows, hasMore: LastEvaluatedKey !== undefined };
  };

  return {
    async erasePage(webhookId) {
      const shards = Array.from({ length: SHARDS }, (_, shard) => deliveryPk(webhookId, shard));
      const pages = await Promise.all(shards.map(readFirstPage));
      const rows = pages.flatMap((page) => page.rows);
      // Deletes the attempts before their deliveries, because only the row of a delivery leads to its attempts. The
      // erasure of a payload also writes a placeholder for the next attempt.
      const attempts = rows.flatMap(({ sk, attempts_made = 0 }) =>
        Array.from({ length: attempts_made + 1 }, (_, index) => attemptKey(sk, index + 1)),
      );
      await deleteRows(attempts);
      await deleteRows(rows.map(({ pk, sk }) => ({ pk, sk })));
      const hasMore = pages.some((page) => page.hasMore);
      if (hasMore) return { hasMore };
      // Deletes the webhook's other rows after its last delivery: health, rate limits, hourly counts.
      const webhookRows = await readFirstPage(healthKey(webhookId).pk);
      await deleteRows(webhookRows.rows.map(({ pk, sk }) => ({ pk, sk })));
      return { hasMore: webhookRows.hasMore };
    },

    async addCommand(command, nowMs) {
      await executeStatements(client, [insertStatement(tables.domain, commandToRow(command, nowMs))]);
    },
  };
};
