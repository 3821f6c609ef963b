import { type DynamoDBClient, GetItemCommand, type TransactWriteItem } from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import type { FirstAnswer } from '../../domain/foundation/idempotency.ts';
import { toSeconds, ttlSeconds } from '../../domain/foundation/time.ts';
import { idempotencyKey as idempotencyRowKey } from '../rows/table-keys.ts';

/** Days for which the first answer under an Idempotency-Key is stored: twice the one day that the API promises. */
const LIFE_DAYS = 2;

/**
 * An API request with an Idempotency-Key. `scope` is an owner in the domain table, and an account or `operator` in the
 * credentials table.
 */
interface KeyedRequest {
  readonly scope: string;
  readonly path: string;
  readonly idempotencyKey: string;
}

/** Reads the first answer under an Idempotency-Key. Returns null where the key is unused or has expired. */
export const readFirstAnswer = async <T>(
  client: DynamoDBClient,
  table: string,
  { scope, path, idempotencyKey }: KeyedRequest,
  parse: (answer: unknown) => T,
  nowMs: number,
): Promise<FirstAnswer<T> | null> => {
  const Key = marshall(idempotencyRowKey(scope, path, idempotencyKey));
  const { Item } = await client.send(new GetItemCommand({ TableName: table, Key, ConsistentRead: true }));
  const row = Item && unmarshall(Item);
  // Ignores an expired row, because DynamoDB deletes it with a delay.
  if (!row || row.ttl <= toSeconds(nowMs)) return null;
  return { contentHash: row.hash, answer: parse(JSON.parse(row.answer)) };
};

/**
 * Returns the transaction item that stores a first answer together with the change that the answer reports. The item's
 * condition fails if the Idempotency-Key is in use.
 */
export const putFirstAnswer = (
  table: string,
  { scope, path, idempotencyKey }: KeyedRequest,
  first: FirstAnswer<unknown>,
  nowMs: number,
): TransactWriteItem => ({
  Put: {
    TableName: table,
    Item: marshall({
      ...idempotencyRowKey(scope, path, idempotencyKey),
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
