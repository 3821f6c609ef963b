import { type AttributeValue, BatchGetItemCommand, type DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import type { Key } from '../rows/table-keys.ts';
import { inBatches, retryRemaining, tablesAreBusy } from './retry.ts';

export interface RowRequest {
  readonly table: string;
  readonly key: Key;
  /**
   * Whether the row needs a strongly consistent read. One such row makes the whole call consistent for all rows of its
   * table.
   */
  readonly isConsistent: boolean;
}

export type Row = Record<string, unknown>;

const nameOf = (table: string, key: { pk?: unknown; sk?: unknown }): string => `${table}\n${key.pk}\n${key.sk}`;

/** DynamoDB takes at most 100 keys in one call. */
const MAX_KEYS = 100;

/** How many times a read is tried before `batchGet` throws the error `unavailable`. */
const MAX_TRIES = 6;

const requestOf = (requests: readonly RowRequest[]) => {
  const byTable: Record<string, { Keys: Record<string, AttributeValue>[]; ConsistentRead: boolean }> = {};
  for (const { table, key, isConsistent } of requests) {
    const entry = byTable[table] ?? { Keys: [], ConsistentRead: false };
    byTable[table] = entry;
    entry.Keys.push({ pk: { S: key.pk }, sk: { S: key.sk } });
    entry.ConsistentRead ||= isConsistent;
  }
  return byTable;
};

const getBatch = (
  client: DynamoDBClient,
  requests: readonly RowRequest[],
  rowsByName: Map<string, Row>,
): Promise<void> => {
  const get = async (remaining: readonly RowRequest[]): Promise<readonly RowRequest[]> => {
    const { Responses = {}, UnprocessedKeys = {} } = await client.send(
      new BatchGetItemCommand({ RequestItems: requestOf(remaining) }),
    );
    for (const [table, items] of Object.entries(Responses)) {
      for (const item of items) {
        const row = unmarshall(item);
        rowsByName.set(nameOf(table, row), row);
      }
    }
    const unprocessed = new Set(
      Object.entries(UnprocessedKeys).flatMap(([table, { Keys = [] }]) =>
        Keys.map((key) => nameOf(table, { pk: key.pk?.S, sk: key.sk?.S })),
      ),
    );
    return remaining.filter(({ table, key }) => unprocessed.has(nameOf(table, key)));
  };
  return retryRemaining(requests, get, tablesAreBusy, MAX_TRIES);
};

/**
 * Reads rows of any tables, a hundred a call, all calls side by side. A key that is requested twice is read once.
 * Returns a function that finds a row by table and key, or null where no row exists. Throws where a table stays
 * throttled.
 */
export const batchGet = async (
  client: DynamoDBClient,
  requests: readonly RowRequest[],
): Promise<(table: string, key: Key) => Row | null> => {
  const distinct = [...new Map(requests.map((item) => [nameOf(item.table, item.key), item])).values()];
  const rowsByName = new Map<string, Row>();
  await inBatches(distinct, MAX_KEYS, (batch) => getBatch(client, batch, rowsByName), Number.POSITIVE_INFINITY);
  return (table, key) => rowsByName.get(nameOf(table, key)) ?? null;
};
