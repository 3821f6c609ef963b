import { ConditionalCheckFailedException, type DynamoDBClient, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import { ttlSeconds } from '../../domain/foundation/time.ts';
import { MAX_WAITING_CALLS, PLACE_MS, type WaitingPlaces } from '../../domain/jobs/waiting-calls.ts';
import { nullIfRefused } from '../aws/conditional-write.ts';
import { waitingPlacesKey } from '../rows/table-keys.ts';

const attributeOf = (index: number): string => `p${index}`;

/**
 * Stores the places of waiting calls in one row for each account, in the credentials table, because that table has no
 * stream. The row has an attribute for each taken place: the time at which the place is free. A call usually takes a place
 * with one write and gives it back with one.
 */
export const createWaitingPlaces = (client: DynamoDBClient, credentialsTable: string): WaitingPlaces => {
  /** Takes one place. Returns null on success, or the row if the place is taken. */
  const takePlace = async (
    accountId: string,
    index: number,
    nowMs: number,
  ): Promise<Record<string, unknown> | null> => {
    try {
      await client.send(
        new UpdateItemCommand({
          TableName: credentialsTable,
          Key: marshall(waitingPlacesKey(accountId)),
          UpdateExpression: 'SET #place = :end, kind = :kind, #ttl = :ttl',
          ConditionExpression: 'attribute_not_exists(#place) OR #place <= :now',
          ExpressionAttributeNames: { '#place': attributeOf(index), '#ttl': 'ttl' },
          ExpressionAttributeValues: marshall({
            ':end': nowMs + PLACE_MS,
            ':kind': 'waiting-places',
            ':ttl': ttlSeconds(nowMs, 1),
            ':now': nowMs,
          }),
          ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
        }),
      );
      return null;
    } catch (error) {
      if (!(error instanceof ConditionalCheckFailedException)) throw error;
      return error.Item ? unmarshall(error.Item) : {};
    }
  };

  return {
    async take(accountId, nowMs) {
      // Tries a random place for the waiting call first: if simultaneous calls all tried the same place, all but one would
      // have to write again.
      let index = Math.floor(Math.random() * MAX_WAITING_CALLS);
      for (let tries = 0; tries < MAX_WAITING_CALLS; tries++) {
        const row = await takePlace(accountId, index, nowMs);
        if (row === null) return { accountId, index, endMs: nowMs + PLACE_MS };
        const places = Array.from({ length: MAX_WAITING_CALLS }, (_, place) => place);
        const free = places.filter((place) => Number(row[attributeOf(place)] ?? 0) <= nowMs);
        const next = free[Math.floor(Math.random() * free.length)];
        if (next === undefined) return null;
        index = next;
      }
      return null;
    },

    async giveBack({ accountId, index, endMs }) {
      await nullIfRefused(
        client.send(
          new UpdateItemCommand({
            TableName: credentialsTable,
            Key: marshall(waitingPlacesKey(accountId)),
            UpdateExpression: 'REMOVE #place',
            // The place has another end if it expired and another call took it.
            ConditionExpression: '#place = :end',
            ExpressionAttributeNames: { '#place': attributeOf(index) },
            ExpressionAttributeValues: marshall({ ':end': endMs }),
          }),
        ),
      );
    },
  };
};
