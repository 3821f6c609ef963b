import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import {
  type Caller,
  hashApiKey,
  type KeyCheck,
  type Quota,
  type StoredApiKey,
} from '../../domain/accounts/api-key.ts';
import { isPossibleKey } from '../../domain/accounts/key-text.ts';
import { SECOND_MS } from '../../domain/foundation/time.ts';
import { createAccountCeiling } from './account-ceiling.ts';
import { createKeyCounter } from './count-request.ts';
import { createShortMemory } from './short-memory.ts';

/**
 * Milliseconds for which the refusal of an API key above its rate limit is remembered, so that a flood of refused
 * requests causes no writes. The time is short, because a raised limit must take effect within 5 s.
 */
const LIMITED_MS = 5 * SECOND_MS;
/**
 * Milliseconds for which an instance refuses a hash without a call after it found no valid key under the hash. A key is
 * drawn at random when it is created, so nobody can have presented it before.
 */
const UNKNOWN_MS = 10 * SECOND_MS;
/**
 * The maximum number of API key hashes that an instance remembers in each of its three memories (seen, unknown, limited).
 * A hash with its entry takes some 200 bytes.
 */
const MAX_REMEMBERED = 10_000;

const UNKNOWN: KeyCheck = { outcome: 'unknown' };

const callerOf = (key: StoredApiKey): Caller => ({
  keyId: key.id,
  name: key.name,
  accountId: key.account_id,
  scopes: key.scopes,
  mode: key.mode,
  customer: key.customer,
  expiresAtMs: key.expires_at,
  retentionDays: key.retention_days,
  taskRetentionDays: key.task_retention_days,
});

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
 * No other call is made for a key that this instance has seen. A key without a row costs no write, because a refused
 * conditional write is paid like any other:
 *
 * ```text
 * wrong checksum                        → unknown, no call
 * refused a few seconds ago             → refused again, no call
 * not seen by this instance             → one read; no valid key: unknown for 10 s
 * otherwise                             → count the request on the key (count-request.ts), and on the account if its
 *                                         keys together could pass the account's ceiling (account-ceiling.ts)
 * ```
 * The DynamoDB client must not retry by itself, because a retried write whose response was lost counts twice.
 * `authenticate` throws if a call fails for a reason other than its condition.
 */
export const createKeyAuthenticator = (client: DynamoDBClient, credentialsTable: string) => {
  const counter = createKeyCounter(client, credentialsTable);
  const ceiling = createAccountCeiling(client, credentialsTable);
  const seen = createShortMemory<true>(MAX_REMEMBERED);
  const unknown = createShortMemory<true>(MAX_REMEMBERED);
  const limited = createShortMemory<Quota>(MAX_REMEMBERED);

  const checkAndCount = async (hash: string, nowMs: number): Promise<KeyCheck> => {
    if (!seen.find(hash, nowMs) && !(await counter.isKnown(hash, nowMs))) return UNKNOWN;
    const counted = await counter.count(hash, nowMs);
    if (counted.outcome !== 'passed') return counted;
    const { key, quota } = counted;
    if (key.counts_for_account && key.account_id !== null && key.requests_per_minute !== undefined) {
      const usedUp = await ceiling.count(key.account_id, key.requests_per_minute, nowMs);
      if (usedUp) return { outcome: 'limited', quota: usedUp };
    }
    return { outcome: 'passed', caller: callerOf(key), quota };
  };

  const authenticate = async (apiKey: string, nowMs: number): Promise<KeyCheck> => {
    if (!isPossibleKey(apiKey)) return UNKNOWN;
    const hash = hashApiKey(apiKey);
    if (unknown.find(hash, nowMs)) return UNKNOWN;
    const quota = limited.find(hash, nowMs);
    if (quota) return { outcome: 'limited', quota };
    const check = await checkAndCount(hash, nowMs).catch((error: unknown) => {
      if (isRetryable(error)) return checkAndCount(hash, nowMs);
      throw error;
    });
    if (check.outcome === 'unknown') {
      seen.forget(hash);
      unknown.remember(hash, true, nowMs + UNKNOWN_MS);
      return check;
    }
    seen.remember(hash, true, Number.POSITIVE_INFINITY);
    if (check.outcome === 'limited') {
      limited.remember(hash, check.quota, Math.min(check.quota.resetAtMs, nowMs + LIMITED_MS));
    }
    return check;
  };

  return { authenticate };
};
