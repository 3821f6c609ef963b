import { type AttributeValue, type DynamoDBClient, QueryCommand } from '@aws-sdk/client-dynamodb';
import type { Position } from '../../domain/foundation/page.ts';
import { indexes, SHARDS } from '../rows/table-keys.ts';

export interface PageRequest {
  readonly limit: number;
  readonly after: Position | null;
}

/** One run of an index whose sort keys are a prefix, a time, `#` and an id. */
export interface ListedRun {
  readonly index: string;
  readonly attribute: 'list' | 'ref';
  readonly pk: string;
  readonly prefix: string;
}

/** The positions of a run after `after`, newest first: at least one more than the limit, where there are so many. */
export const queryPositions = async (
  client: DynamoDBClient,
  table: string,
  { index, attribute, pk, prefix }: ListedRun,
  { limit, after }: PageRequest,
): Promise<Position[]> => {
  // `~` comes after every digit and letter: the end of all that begins with the prefix.
  const below = after ? `${prefix}${after.at}#${after.id}` : `${prefix}~`;
  const found: Position[] = [];
  let start: Record<string, AttributeValue> | undefined;
  do {
    const page = await client.send(
      new QueryCommand({
        TableName: table,
        IndexName: index,
        KeyConditionExpression: '#pk = :pk AND #sk BETWEEN :from AND :below',
        ExpressionAttributeNames: { '#pk': `${attribute}_pk`, '#sk': `${attribute}_sk` },
        ExpressionAttributeValues: { ':pk': { S: pk }, ':from': { S: `${prefix}0` }, ':below': { S: below } },
        ScanIndexForward: false,
        // One for the position itself, which `BETWEEN` includes, and one to see whether more follow.
        Limit: limit + 2,
        ExclusiveStartKey: start,
      }),
    );
    for (const item of page.Items ?? []) {
      const [at = '', id = ''] = (item[`${attribute}_sk`]?.S ?? '').slice(prefix.length).split('#');
      if (id !== after?.id) found.push({ at, id });
    }
    start = page.LastEvaluatedKey;
  } while (start && found.length <= limit);
  return found;
};

/**
 * The positions of things that only ever move on from status to status, in any order. One status after the other: what
 * moves meanwhile is met again further on, and is never passed by.
 */
export const queryStatuses = async (
  client: DynamoDBClient,
  table: string,
  pkOf: (shard: number) => string,
  statuses: readonly string[],
  page: PageRequest,
): Promise<Position[]> => {
  const found = new Map<string, Position>();
  for (const status of statuses) {
    const runs = Array.from({ length: SHARDS }, (_, shard) => pkOf(shard)).map((pk) => {
      const run = { index: indexes.list, attribute: 'list', pk, prefix: `${status}#` } as const;
      return queryPositions(client, table, run, page);
    });
    for (const position of (await Promise.all(runs)).flat()) found.set(position.id, position);
  }
  return [...found.values()];
};

export const newestFirst = (a: Position, b: Position): number =>
  a.at === b.at ? (a.id < b.id ? 1 : -1) : a.at < b.at ? 1 : -1;
