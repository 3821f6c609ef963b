import { type DynamoDBClient, QueryCommand } from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import type { CommandStore } from '../../domain/fan-out/run-command.ts';
import { deleteRowsOf } from '../aws/delete-rows.ts';
import { indexes, type Key, SHARDS, taskListPk } from '../rows/table-keys.ts';

/** The maximum number of tasks of each shard that one page erases. */
const TASKS_PER_SHARD = 250;

/** Erases the tasks of a deleted account from the domain table, page by page. */
export const createTaskRowsEraser = (
  client: DynamoDBClient,
  tables: { readonly domain: string },
): Pick<CommandStore, 'eraseTasksPage'> => {
  const readFirstPage = async (pk: string) => {
    const { Items = [], LastEvaluatedKey } = await client.send(
      new QueryCommand({
        TableName: tables.domain,
        IndexName: indexes.list,
        KeyConditionExpression: 'list_pk = :pk',
        ExpressionAttributeValues: marshall({ ':pk': pk }),
        Limit: TASKS_PER_SHARD,
      }),
    );
    const keys = Items.map((item) => unmarshall(item) as Key).map(({ pk, sk }) => ({ pk, sk }));
    return { keys, hasMore: LastEvaluatedKey !== undefined };
  };

  return {
    async eraseTasksPage(owner) {
      const shards = Array.from({ length: SHARDS }, (_, shard) => taskListPk(owner, shard));
      const pages = await Promise.all(shards.map(readFirstPage));
      await deleteRowsOf(
        client,
        tables.domain,
        pages.flatMap(({ keys }) => keys),
      );
      return { hasMore: pages.some(({ hasMore }) => hasMore) };
    },
  };
};
