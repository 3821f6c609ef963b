import { type DynamoDBClient, GetItemCommand, type TransactWriteItem } from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import type { FirstAnswer } from '../../domain/foundation/idempotency.ts';
import { toSeconds, ttlSeconds } from '../../domain/foundation/time.ts';
import { idempotencyKey as idempotencyRowKey } from '../rows/table-keys.ts';

/** Twice the day that an Idempotency-Key is promised to be remembered. */
const LIFE_DAYS = 2;

/** What was first answered under an Idempotency-Key, if it is still remembered. */
export const readFirstAnswer = async <T>(
  client: DynamoDBClient,
  table: string,
  of: { readonly scope: string; readonly path: string; readonly idempotencyKey: string },
  parse: (answer: unknown) => T,
  nowMs: number,
): Promise<FirstAnswer<T> | null> => {
  const Key = marshall(idempotencyRowKey(of.scope, of.path, of.idempotencyKey));
  const { Item } = await client.send(new GetItemCommand({ TableName: table, Key, ConsistentRead: true }));
  const row = Item && unmarshall(Item);
  // DynamoDB deletes what has expired late.
  if (!row || row.ttl <= toSeconds(nowMs)) return null;
  return { contentHash: row.hash, answer: parse(JSON.parse(row.answer)) };
};

/** Leaves a first answer, in the transaction of what it tells of; its condition fails where the key is in use. */
export const putFirstAnswer = (
  table: string,
  of: { readonly scope: string; readonly path: string; readonly idempotencyKey: string },
  first: FirstAnswer<unknown>,
  nowMs: number,
): TransactWriteItem => ({
  Put: {
    TableName: table,
    Item: marshall({
      ...idempotencyRowKey(of.scope, of.path, of.idempotencyKey),
      kind: 'idempotency',
      hash: first.contentHash,
      answer: JSON.stringify(first.answer),
      ttl: ttlSeconds(nowMs, LIFE_DAYS),
    }),
    ConditionExpression: 'attribute_not_exists(pk) OR #ttl <= :now',
    ExpressionAttributeNames: { '#ttl': 'ttl' },
    ExpressionAttributeValues: marshall({ ':now': toSeconds(nowMs) }),
  },
});
