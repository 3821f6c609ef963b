import { setTimeout as sleep } from 'node:timers/promises';
import {
  type DynamoDBClient,
  TransactionCanceledException,
  type TransactWriteItem,
  TransactWriteItemsCommand,
} from '@aws-sdk/client-dynamodb';
import { PassPostError } from '../../domain/foundation/errors.ts';
import { isTransient } from './statements.ts';

const TRIES = 6;

/**
 * Writes all or nothing. Answers -1 when done, else the place of the first item whose condition failed; `busy` where
 * other transactions, or a table that throttles, would not let it through. What no other try would change is thrown.
 */
export const transact = async (client: DynamoDBClient, items: TransactWriteItem[]): Promise<number | 'busy'> => {
  for (let tries = 1; ; tries++) {
    try {
      await client.send(new TransactWriteItemsCommand({ TransactItems: items }));
      return -1;
    } catch (error) {
      if (!(error instanceof TransactionCanceledException)) throw error;
      const reasons = error.CancellationReasons ?? [];
      const failed = reasons.findIndex(({ Code }) => Code === 'ConditionalCheckFailed');
      if (failed !== -1) return failed;
      const refused = reasons.find(({ Code }) => Code !== undefined && Code !== 'None' && !isTransient(Code));
      if (refused) {
        throw new Error(`DynamoDB refused a transaction: ${refused.Code}, ${refused.Message}`, { cause: error });
      }
      if (tries === TRIES) return 'busy';
    }
    await sleep(5 * 2 ** tries * Math.random());
  }
};

/** A change with what stands and falls with it: all of it, or, where a condition fails, nothing and false. */
export const changeTogether = async (client: DynamoDBClient, items: TransactWriteItem[]): Promise<boolean> => {
  const failed = await transact(client, items);
  if (failed === 'busy') throw new PassPostError('unavailable', 'Others are changing the same. Please try again.');
  return failed === -1;
};
