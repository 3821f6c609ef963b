import { type DynamoDBClient, GetItemCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import type * as z from 'zod';
import type { Key } from '../rows/table-keys.ts';
import { nullIfRefused } from './conditional-write.ts';

/**
 * Reads and saves the progress of long work in one row of this kind. A save succeeds only for the version that the caller read, so
 * two invocations do not overwrite each other's progress.
 */
export const createCheckpoint = <Progress>(
  client: DynamoDBClient,
  table: string,
  key: Key,
  kind: string,
  schema: z.ZodType<Progress>,
) => ({
  async read(): Promise<{ readonly progress: Progress; readonly version: number } | null> {
    const { Item } = await client.send(
      new GetItemCommand({ TableName: table, Key: marshall(key), ConsistentRead: true }),
    );
    if (!Item) return null;
    const { progress, version } = unmarshall(Item);
    return { progress: schema.parse(JSON.parse(progress)), version: Number(version) };
  },

  /**
   * Writes the progress if the row still has the version that was read (0: no row existed). Returns false if another
   * invocation wrote the row meanwhile.
   */
  async save(progress: Progress, version: number): Promise<boolean> {
    const saved = await nullIfRefused(
      client.send(
        new UpdateItemCommand({
          TableName: table,
          Key: marshall(key),
          UpdateExpression: 'SET kind = :kind, progress = :progress, version = :next',
          ConditionExpression: version === 0 ? 'attribute_not_exists(version)' : 'version = :version',
          ExpressionAttributeValues: marshall({
            ':kind': kind,
            ':progress': JSON.stringify(progress),
            ':next': version + 1,
            ...(version === 0 ? {} : { ':version': version }),
          }),
        }),
      ),
    );
    return saved !== null;
  },
});
