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

/** A refusal is remembered, so that a flood of refused requests costs no writes; not for long, as a raised limit holds within 5 s. */
const MEMORY_MS = 5_000;
const MEMORY_ENTRIES = 1_000;

const LIVES =
  'attribute_exists(pk) AND attribute_not_exists(revoked_at) AND (attribute_not_exists(expires_at) OR expires_at > :now)';

const isAlive = (key: StoredApiKey, nowMs: number): boolean =>
  key.revoked_at === null && (key.expires_at === null || key.expires_at > nowMs);

const quotaOf = ({ limit, n, ws }: StoredApiKey): Quota => ({
  limit,
  remaining: Math.max(0, limit - n),
  resetAtMs: ws + RATE_LIMIT_WINDOW_MS,
});

const passed = (key: StoredApiKey): KeyCheck => {
  const { id: keyId, account_id: accountId, scopes, mode, retention_days: retentionDays } = key;
  return { outcome: 'passed', caller: { keyId, accountId, scopes, mode, retentionDays }, quota: quotaOf(key) };
};

/** A row in a transaction (nothing was counted), or a connection that the other side closed while we slept (it may count twice). */
const isWorthAnotherTry = (error: unknown): boolean =>
  error instanceof Error &&
  /TransactionConflict|ECONNRESET|EPIPE/.test(`${error.name} ${'code' in error ? error.code : ''} ${error.message}`);

/**
 * Authenticates and counts a request with one conditional write on the key's row:
 *
 * ```text
 * lives, minute running, n < limit   → n + 1, passed        (the steady case: one write)
 * minute over                        → ws = now, n = 1      (a second write, once a minute)
 * minute running, n = limit          → limited until it ends
 * no row, revoked, expired           → unknown
 * ```
 * The client must not retry by itself: a write whose answer was lost would count twice.
 */
export const createKeyAuthenticator = (client: DynamoDBClient, deliveryTable: string) => {
  const refused = new Map<string, { readonly quota: Quota; readonly untilMs: number }>();

  /** The row after the update, or, where its condition failed, before it (null: there is none). */
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
          TableName: deliveryTable,
          Key: { pk: { S: apiKeyKey(hash).pk }, sk: { S: apiKeyKey(hash).sk } },
          UpdateExpression: change,
          ConditionExpression: `${LIVES} AND ${condition}`,
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
    // A minute's opener loses to at most one racer; then the counter is running and the next look decides.
    for (let looks = 0; looks < 5; looks++) {
      const counted = await update(hash, 'SET n = n + :one', 'ws > :old AND n < #limit', window);
      if (counted.isDone && counted.key) return passed(counted.key);
      if (!counted.key || !isAlive(counted.key, nowMs)) return { outcome: 'unknown' };
      if (counted.key.ws > nowMs - RATE_LIMIT_WINDOW_MS) return { outcome: 'limited', quota: quotaOf(counted.key) };
      const opened = await update(hash, 'SET ws = :now, n = :one', 'ws <= :old', window);
      if (opened.isDone && opened.key) return passed(opened.key);
      if (!opened.key) return { outcome: 'unknown' };
    }
    throw new PassPostError('unavailable', 'The request could not be counted. Please try again.');
  };

  const remember = (hash: string, quota: Quota, nowMs: number): void => {
    if (refused.size >= MEMORY_ENTRIES) refused.clear();
    refused.set(hash, { quota, untilMs: Math.min(quota.resetAtMs, nowMs + MEMORY_MS) });
  };

  return async (apiKey: string, nowMs: number): Promise<KeyCheck> => {
    const hash = hashApiKey(apiKey);
    const remembered = refused.get(hash);
    if (remembered && nowMs < remembered.untilMs) return { outcome: 'limited', quota: remembered.quota };
    refused.delete(hash);
    const check = await count(hash, nowMs).catch((error: unknown) => {
      if (isWorthAnotherTry(error)) return count(hash, nowMs);
      throw error;
    });
    if (check.outcome === 'limited') remember(hash, check.quota, nowMs);
    return check;
  };
};
