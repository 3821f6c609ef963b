import {
  type AttributeValue,
  ConditionalCheckFailedException,
  type DynamoDBClient,
  GetItemCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import {
  type KeyCheck,
  type Quota,
  RATE_LIMIT_WINDOW_MS,
  type StoredApiKey,
  storedApiKeySchema,
} from '../../domain/accounts/api-key.ts';
import { PassPostError } from '../../domain/foundation/errors.ts';
import { apiKeyKey } from '../rows/table-keys.ts';

/** The result of counting a request on its API key, with the key's row if the request is within the key's limit. */
export type CountedKey =
  | { readonly outcome: 'passed'; readonly key: StoredApiKey; readonly quota: Quota }
  | Exclude<KeyCheck, { outcome: 'passed' }>;

const IS_VALID =
  'attribute_exists(pk) AND attribute_not_exists(revoked_at) AND (attribute_not_exists(expires_at) OR expires_at > :now)';

const isValid = (key: StoredApiKey, nowMs: number): boolean =>
  key.revoked_at === null && (key.expires_at === null || key.expires_at > nowMs);

const quotaOf = ({ limit, n, ws }: StoredApiKey): Quota => ({
  limit,
  remaining: Math.max(0, limit - n),
  resetAtMs: ws + RATE_LIMIT_WINDOW_MS,
});

const parse = (row: Record<string, AttributeValue>): StoredApiKey => storedApiKeySchema.parse(unmarshall(row));

/**
 * Creates the functions that find the row of an API key by its hash, and count requests with one conditional write on
 * that row. The row holds `n`, the number of requests counted in the rate limit minute that began at `ws`:
 *
 * ```text
 * valid, minute running, n < limit   → n + 1, passed        (the usual case: one write)
 * minute over                        → ws = now, n = 1      (a second write, once a minute)
 * minute running, n = limit          → limited until the minute ends
 * no row, revoked, expired           → unknown
 * ```
 */
export const createKeyCounter = (client: DynamoDBClient, credentialsTable: string) => {
  const keyOf = (hash: string) => ({ pk: { S: apiKeyKey(hash).pk }, sk: { S: apiKeyKey(hash).sk } });

  /**
   * Updates the row of an API key if the key is valid and the condition holds. Returns as `key` the row after the
   * update, or the unchanged row if the update failed (null: no row).
   */
  const update = async (
    hash: string,
    change: string,
    condition: string,
    values: Record<string, number>,
  ): Promise<{ isDone: boolean; key: StoredApiKey | null }> => {
    const names = condition.includes('#limit') ? { '#limit': 'limit' } : undefined;
    const numbers = Object.entries(values).map(([name, value]) => [name, { N: String(value) }] as const);
    try {
      const { Attributes = {} } = await client.send(
        new UpdateItemCommand({
          TableName: credentialsTable,
          Key: keyOf(hash),
          UpdateExpression: change,
          ConditionExpression: `${IS_VALID} AND ${condition}`,
          ExpressionAttributeNames: names,
          ExpressionAttributeValues: Object.fromEntries(numbers),
          ReturnValues: 'ALL_NEW',
          ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
        }),
      );
      return { isDone: true, key: parse(Attributes) };
    } catch (error) {
      if (!(error instanceof ConditionalCheckFailedException)) throw error;
      return { isDone: false, key: error.Item ? parse(error.Item) : null };
    }
  };

  const passed = (key: StoredApiKey): CountedKey => ({ outcome: 'passed', key, quota: quotaOf(key) });

  return {
    /** Returns whether a valid API key has this hash. Costs one read and no write. */
    async isKnown(hash: string, nowMs: number): Promise<boolean> {
      const read = new GetItemCommand({ TableName: credentialsTable, Key: keyOf(hash), ConsistentRead: true });
      const { Item } = await client.send(read);
      return Item !== undefined && isValid(parse(Item), nowMs);
    },

    /** Counts a request on its API key. Throws if a write fails for a reason other than its condition. */
    async count(hash: string, nowMs: number): Promise<CountedKey> {
      const window = { ':now': nowMs, ':old': nowMs - RATE_LIMIT_WINDOW_MS, ':one': 1 };
      // When a minute is over, one of several concurrent requests starts the new minute. The other requests fail to
      // start it, and the next pass of the loop counts them in the running minute.
      for (let round = 0; round < 5; round++) {
        const counted = await update(hash, 'SET n = n + :one', 'ws > :old AND n < #limit', window);
        if (counted.isDone && counted.key) return passed(counted.key);
        if (!counted.key || !isValid(counted.key, nowMs)) return { outcome: 'unknown' };
        if (counted.key.ws > nowMs - RATE_LIMIT_WINDOW_MS) return { outcome: 'limited', quota: quotaOf(counted.key) };
        const opened = await update(hash, 'SET ws = :now, n = :one', 'ws <= :old', window);
        if (opened.isDone && opened.key) return passed(opened.key);
        if (!opened.key) return { outcome: 'unknown' };
      }
      throw new PassPostError('unavailable', 'The request could not be counted. Please try again.');
    },
  };
};
