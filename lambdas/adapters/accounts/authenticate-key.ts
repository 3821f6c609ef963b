import {
  type AttributeValue,
  ConditionalCheckFailedException,
  type DynamoDBClient,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import {
  hashApiKey,
  type KeyCheck,
  type Quota,
  RATE_LIMIT_WINDOW_MS,
  type StoredApiKey,
  storedApiKeySchema,
} from '../../domain/accounts/api-key.ts';
import { PassPostError } from '../../domain/foundation/errors.ts';
import { apiKeyKey } from '../rows/table-keys.ts';

/**
 * Milliseconds for which the refusal of an API key above its rate limit is cached, so that a flood of refused requests
 * causes no writes. The time is short, because a raised limit must take effect within 5 s.
 */
const REFUSAL_CACHE_MS = 5_000;
const MAX_CACHED_REFUSALS = 1_000;

const IS_VALID =
  'attribute_exists(pk) AND attribute_not_exists(revoked_at) AND (attribute_not_exists(expires_at) OR expires_at > :now)';

const isValid = (key: StoredApiKey, nowMs: number): boolean =>
  key.revoked_at === null && (key.expires_at === null || key.expires_at > nowMs);

const quotaOf = ({ limit, n, ws }: StoredApiKey): Quota => ({
  limit,
  remaining: Math.max(0, limit - n),
  resetAtMs: ws + RATE_LIMIT_WINDOW_MS,
});

const passed = (key: StoredApiKey): KeyCheck => {
  const {
    id: keyId,
    account_id: accountId,
    scopes,
    mode,
    expires_at: expiresAtMs,
    retention_days: retentionDays,
  } = key;
  const caller = { keyId, accountId, scopes, mode, expiresAtMs, retentionDays };
  return { outcome: 'passed', caller, quota: quotaOf(key) };
};

/**
 * Returns whether a request may be counted on a second try after this error. After a transaction conflict nothing was
 * counted. After a try that got no answer (a timeout, or a connection that closed while the function was frozen), the
 * request may count twice, because the first try may have counted the request.
 */
const isRetryable = (error: unknown): boolean =>
  error instanceof Error &&
  /TransactionConflict|TimeoutError|ECONNRESET|EPIPE/.test(
    `${error.name} ${'code' in error ? error.code : ''} ${error.message}`,
  );

/**
 * Creates `authenticate`, which checks an API key and counts the request with one conditional write on the key's row.
 * The row holds `n`, the number of requests counted in the rate limit minute that began at `ws`:
 *
 * ```text
 * valid, minute running, n < limit   → n + 1, passed        (the usual case: one write)
 * minute over                        → ws = now, n = 1      (a second write, once a minute)
 * minute running, n = limit          → limited until the minute ends
 * no row, revoked, expired           → unknown
 * ```
 * The DynamoDB client must not retry by itself, because a retried write whose response was lost counts twice.
 * `authenticate` throws if the write fails for a reason other than its condition.
 */
export const createKeyAuthenticator = (client: DynamoDBClient, credentialsTable: string) => {
  const refused = new Map<string, { readonly quota: Quota; readonly untilMs: number }>();

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
    const parse = (row: Record<string, AttributeValue>): StoredApiKey => storedApiKeySchema.parse(unmarshall(row));
    try {
      const { Attributes = {} } = await client.send(
        new UpdateItemCommand({
          TableName: credentialsTable,
          Key: { pk: { S: apiKeyKey(hash).pk }, sk: { S: apiKeyKey(hash).sk } },
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

  const count = async (hash: string, nowMs: number): Promise<KeyCheck> => {
    const window = { ':now': nowMs, ':old': nowMs - RATE_LIMIT_WINDOW_MS, ':one': 1 };
    // When a minute is over, one of several concurrent requests starts the new minute. The other requests fail to start
    // it, and the next pass of the loop counts them in the running minute.
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
  };

  const cacheRefusal = (hash: string, quota: Quota, nowMs: number): void => {
    if (refused.size >= MAX_CACHED_REFUSALS) refused.clear();
    refused.set(hash, { quota, untilMs: Math.min(quota.resetAtMs, nowMs + REFUSAL_CACHE_MS) });
  };

  const authenticate = async (apiKey: string, nowMs: number): Promise<KeyCheck> => {
    const hash = hashApiKey(apiKey);
    const refusal = refused.get(hash);
    if (refusal && nowMs < refusal.untilMs) return { outcome: 'limited', quota: refusal.quota };
    refused.delete(hash);
    const check = await count(hash, nowMs).catch((error: unknown) => {
      if (isRetryable(error)) return count(hash, nowMs);
      throw error;
    });
    if (check.outcome === 'limited') cacheRefusal(hash, check.quota, nowMs);
    return check;
  };

  return { authenticate };
};
