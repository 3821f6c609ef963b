import { ConditionalCheckFailedException, type DynamoDBClient, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import type { Quota } from '../../domain/accounts/api-key.ts';
import { PassPostError } from '../../domain/foundation/errors.ts';
import { MINUTE_MS, ttlSeconds } from '../../domain/foundation/time.ts';
import { accountMinuteKey } from '../rows/table-keys.ts';
import { createShortMemory } from './short-memory.ts';

/**
 * An instance reserves one fiftieth of the requests that are left to the account in the running minute. So an account
 * costs one write for many requests while much is left, and exact counting when little is left.
 */
const PARTS = 50;
/** The maximum number of reservations that an instance remembers. */
const MAX_RESERVATIONS = 1_000;
const MAX_TRIES = 5;

/** The requests that an instance has reserved for an account and not used yet, and how many it reserves next. */
interface Reservation {
  left: number;
  next: number;
}

const partOf = (requests: number): number => Math.max(1, Math.floor(requests / PARTS));

/**
 * Creates the function that holds accounts to their ceiling: requests of all API keys of an account in one minute of the
 * clock. One row for each account and minute counts what the instances have reserved, so at most the ceiling passes,
 * however many instances there are. A reservation that its instance does not use until the minute ends is lost: for each
 * instance at most a fiftieth of the ceiling.
 */
export const createAccountCeiling = (client: DynamoDBClient, credentialsTable: string) => {
  const reservations = createShortMemory<Reservation>(MAX_RESERVATIONS);

  /** Reserves requests, unless the ceiling would be passed. Returns as `reserved` all requests that are reserved now. */
  const reserve = async (accountId: string, startMs: number, requests: number, ceiling: number) => {
    try {
      const { Attributes } = await client.send(
        new UpdateItemCommand({
          TableName: credentialsTable,
          Key: marshall(accountMinuteKey(accountId, startMs)),
          UpdateExpression: 'SET kind = :kind, #ttl = :ttl ADD n :requests',
          ConditionExpression: 'attribute_not_exists(n) OR n <= :most',
          ExpressionAttributeNames: { '#ttl': 'ttl' },
          ExpressionAttributeValues: marshall({
            ':kind': 'account-minute',
            ':ttl': ttlSeconds(startMs, 1),
            ':requests': requests,
            ':most': ceiling - requests,
          }),
          ReturnValues: 'UPDATED_NEW',
          ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
        }),
      );
      return { isDone: true, reserved: Number(Attributes?.n?.N ?? requests) };
    } catch (error) {
      if (!(error instanceof ConditionalCheckFailedException)) throw error;
      return { isDone: false, reserved: Number(error.Item?.n?.N ?? 0) };
    }
  };

  return {
    /**
     * Counts a request for its account. Returns null if the request is within the ceiling, or the state of the ceiling
     * if it is used up.
     */
    async count(accountId: string, ceiling: number, nowMs: number): Promise<Quota | null> {
      const startMs = nowMs - (nowMs % MINUTE_MS);
      const endMs = startMs + MINUTE_MS;
      // The key contains the account's ceiling, so a changed ceiling takes effect immediately: the instance no longer finds
      // the requests that it reserved under the old one.
      const minute = `${accountId}#${startMs}#${ceiling}`;
      const present = reservations.find(minute, nowMs);
      if (present && present.left > 0) {
        present.left -= 1;
        return null;
      }
      for (let requests = present?.next ?? partOf(ceiling), tries = 0; tries < MAX_TRIES; tries++) {
        const { isDone, reserved } = await reserve(accountId, startMs, requests, ceiling);
        const unreserved = ceiling - reserved;
        if (isDone) {
          // Adds to what a concurrent request of this instance may have reserved meanwhile.
          const left = (reservations.find(minute, nowMs)?.left ?? 0) + requests - 1;
          reservations.remember(minute, { left, next: partOf(unreserved) }, endMs);
          return null;
        }
        if (unreserved <= 0) return { limit: ceiling, remaining: 0, resetAtMs: endMs, isOfAccount: true };
        requests = partOf(unreserved);
      }
      throw new PassPostError('unavailable', 'The request could not be counted. Please try again.');
    },
  };
};
