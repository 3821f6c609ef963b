import { type AttributeValue, type DynamoDBClient, QueryCommand } from '@aws-sdk/client-dynamodb';
import type { Position } from '../../domain/foundation/page.ts';
import { indexes, SHARDS } from '../rows/table-keys.ts';

export interface PageRequest {
  readonly limit: number;
  readonly after: Position | null;
}

/**
 * A run of entries of an index: the entries of one partition whose sort keys begin with `prefix`. Such a sort key is
 * the prefix, a time, `#` and an id.
 */
export interface ListedRun {
  readonly index: string;
  readonly attribute: 'list' | 'ref';
  readonly pk: string;
  readonly prefix: string;
}

/**
 * Returns the positions of a run that come after the position `after`, newest first. Returns at least one position more
 * than the limit if the run has them, so that the caller sees whether another page follows.
 */
export const queryPositions = async (
  client: DynamoDBClient,
  table: string,
  { index, attribute, pk, prefix }: ListedRun,
  { limit, after }: PageRequest,
): Promise<Position[]> => {
  // `~` sorts after every digit and letter, so it is an upper bound for every key with the prefix.
  const upper = after ? `${prefix}${after.at}#${after.id}` : `${prefix}~`;
  const positions: Position[] = [];
  let start: Record<string, AttributeValue> | undefined;
  do {
    const page = await client.send(
      new QueryCommand({
        TableName: table,
        IndexName: index,
        KeyConditionExpression: '#pk = :pk AND #sk BETWEEN :from AND :upper',
        ExpressionAttributeNames: { '#pk': `${attribute}_pk`, '#sk': `${attribute}_sk` },
        ExpressionAttributeValues: { ':pk': { S: pk }, ':from': { S: `${prefix}0` }, ':upper': { S: upper } },
        ScanIndexForward: false,
        // Reads two rows more than the limit: `BETWEEN` includes the row at `after`, and one further row shows that
        // another page follows.
        Limit: limit + 2,
        ExclusiveStartKey: start,
      }),
    );
    for (const item of page.Items ?? []) {
      const [at = '', id = ''] = (item[`${attribute}_sk`]?.S ?? '').slice(prefix.length).split('#');
      if (id !== after?.id) positions.push({ at, id });
    }
    start = page.LastEvaluatedKey;
  } while (start && positions.length <= limit);
  return positions;
};

/**
 * Returns the positions of rows in several statuses, in any order. The caller must name the statuses in the order in
 * which a row takes them. They are read one after the other, so a row whose status changes meanwhile appears in a later
 * list and is not lost.
 */
export const queryStatuses = async (
  client: DynamoDBClient,
  table: string,
  pkOf: (shard: number) => string,
  statuses: readonly string[],
  page: PageRequest,
): Promise<Position[]> => {
  const positions = new Map<string, Position>();
  for (const status of statuses) {
    const runs = Array.from({ length: SHARDS }, (_, shard) => pkOf(shard)).map((pk) => {
      const run = { index: indexes.list, attribute: 'list', pk, prefix: `${status}#` } as const;
      return queryPositions(client, table, run, page);
    });
    for (const position of (await Promise.all(runs)).flat()) positions.set(position.id, position);
  }
  return [...positions.values()];
};

/** Compares two positions for a sort: later times first, then higher ids. */
export const newestFirst = (a: Position, b: Position): number =>
  a.at === b.at ? (a.id < b.id ? 1 : -1) : a.at < b.at ? 1 : -1;
