import { type AttributeValue, BatchGetItemCommand, type DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import type { Key } from '../rows/table-keys.ts';
import { inBatches, retryRemaining, tablesAreBusy } from './retry.ts';

export interface Wanted {
  readonly table: string;
  readonly key: Key;
  /** Whether the row must be as it is now, not as it was a moment ago. */
  readonly isConsistent: boolean;
}

export type Row = Record<string, unknown>;

const nameOf = (table: string, key: { pk?: unknown; sk?: unknown }): string => `${table}\n${key.pk}\n${key.sk}`;

/** DynamoDB takes at most 100 keys in one call. */
const BATCH = 100;

const requestOf = (wanted: readonly Wanted[]) => {
  const request: Record<string, { Keys: Record<string, AttributeValue>[]; ConsistentRead: boolean }> = {};
  for (const { table, key, isConsistent } of wanted) {
    const entry = request[table] ?? { Keys: [], ConsistentRead: false };
    request[table] = entry;
    entry.Keys.push({ pk: { S: key.pk }, sk: { S: key.sk } });
    entry.ConsistentRead ||= isConsistent;
  }
  return request;
};

const getBatch = (client: DynamoDBClient, wanted: readonly Wanted[], found: Map<string, Row>): Promise<void> => {
  const get = async (open: readonly Wanted[]): Promise<readonly Wanted[]> => {
    const { Responses = {}, UnprocessedKeys = {} } = await client.send(
      new BatchGetItemCommand({ RequestItems: requestOf(open) }),
    );
    for (const [table, items] of Object.entries(Responses)) {
      for (const item of items) {
        const row = unmarshall(item);
        found.set(nameOf(table, row), row);
      }
    }
    const unprocessed = new Set(
      Object.entries(UnprocessedKeys).flatMap(([table, { Keys = [] }]) =>
        Keys.map((key) => nameOf(table, { pk: key.pk?.S, sk: key.sk?.S })),
      ),
    );
    return open.filter(({ table, key }) => unprocessed.has(nameOf(table, key)));
  };
  return retryRemaining(wanted, get, tablesAreBusy);
};

/**
 * Reads rows of any tables, a hundred a call, all calls side by side. A key that is wanted twice is read once. Returns a
 * function that finds a row by table and key; null where there is none.
 */
export const batchGet = async (
  client: DynamoDBClient,
  wanted: readonly Wanted[],
): Promise<(table: string, key: Key) => Row | null> => {
  const distinct = [...new Map(wanted.map((item) => [nameOf(item.table, item.key), item])).values()];
  const found = new Map<string, Row>();
  await inBatches(distinct, BATCH, (batch) => getBatch(client, batch, found), Number.POSITIVE_INFINITY);
  return (table, key) => found.get(nameOf(table, key)) ?? null;
};
