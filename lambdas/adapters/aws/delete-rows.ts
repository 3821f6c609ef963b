import { BatchWriteItemCommand, type DynamoDBClient, type WriteRequest } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import type { Key } from '../rows/table-keys.ts';
import { inBatches, retryRemaining, tablesAreBusy } from './retry.ts';

/** DynamoDB takes at most 25 deletions in one call. */
const MAX_DELETIONS = 25;

/** Deletes rows of a table, 25 in a call. A row that does not exist is left out. */
export const deleteRowsOf = async (client: DynamoDBClient, table: string, keys: readonly Key[]): Promise<void> => {
  const deleteBatch = (requests: readonly WriteRequest[]): Promise<void> =>
    retryRemaining(
      requests,
      async (remaining) => {
        const request = new BatchWriteItemCommand({ RequestItems: { [table]: [...remaining] } });
        const { UnprocessedItems } = await client.send(request);
        return UnprocessedItems?.[table] ?? [];
      },
      tablesAreBusy,
    );
  const requests = keys.map((key) => ({ DeleteRequest: { Key: marshall(key) } }));
  await inBatches(requests, MAX_DELETIONS, deleteBatch);
};
