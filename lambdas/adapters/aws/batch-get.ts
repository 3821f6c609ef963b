import { setTimeout as sleep } from 'node:timers/promises';
import { type AttributeValue, BatchGetItemCommand, type DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import { PassPostError } from '../../domain/foundation/errors.ts';
import type { Key } from '../rows/table-keys.ts';

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

const getBatch = async (client: DynamoDBClient, wanted: readonly Wanted[], found: Map<string, Row>): Promise<void> => {
  let request: Record<string, { Keys: Record<string, AttributeValue>[]; ConsistentRead?: boolean }> = {};
  for (const { table, key, isConsistent } of wanted) {
    const entry = request[table] ?? { Keys: [], ConsistentRead: false };
    request[table] = entry;
    entry.Keys.push({ pk: { S: key.pk }, sk: { S: key.sk } });
    entry.ConsistentRead ||= isConsistent;
  }
  for (let tries = 1; Object.keys(request).length > 0; tries++) {
    const { Responses = {}, UnprocessedKeys = {} } = await client.send(
      new BatchGetItemCommand({ RequestItems: request }),
    );
    for (const [table, items] of Object.entries(Responses)) {
      for (const item of items) {
        const row = unmarshall(item);
        found.set(nameOf(table, row), row);
      }
    }
    request = UnprocessedKeys as typeof request;
    if (Object.keys(request).length === 0) return;
    if (tries === 6) throw new PassPostError('unavailable', 'The tables are busy. Try again in a moment.');
    await sleep(25 * 2 ** tries * (0.5 + Math.random()));
  }
};

/** Reads rows of any tables, a hundred a call, each once however often it is asked for. The answer finds a row by table and key. */
export const batchGet = async (
  client: DynamoDBClient,
  wanted: readonly Wanted[],
): Promise<(table: string, key: Key) => Row | null> => {
  const distinct = [...new Map(wanted.map((item) => [nameOf(item.table, item.key), item])).values()];
  const found = new Map<string, Row>();
  const batches: Wanted[][] = [];
  for (let i = 0; i < distinct.length; i += BATCH) batches.push(distinct.slice(i, i + BATCH));
  await Promise.all(batches.map((batch) => getBatch(client, batch, found)));
  return (table, key) => found.get(nameOf(table, key)) ?? null;
};
