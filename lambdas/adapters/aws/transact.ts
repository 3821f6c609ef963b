import { setTimeout as sleep } from 'node:timers/promises';
import {
  type DynamoDBClient,
  TransactionCanceledException,
  type TransactWriteItem,
  TransactWriteItemsCommand,
} from '@aws-sdk/client-dynamodb';
import { PassPostError } from '../../domain/foundation/errors.ts';
import { refusedItem } from './refusal.ts';
import { isTransient } from './statements.ts';

const MAX_TRIES = 6;

/**
 * Writes all items or none. Returns -1 on success, or the index of the first item whose condition failed. Returns
 * `busy` where conflicting transactions or throttling refused every try. Throws every other error, because a retry
 * cannot change it.
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
        const message = `DynamoDB refused a transaction: ${refused.Code}, ${refused.Message}`;
        throw refusedItem(refused.Code ?? '', message, { cause: error });
      }
      if (tries === MAX_TRIES) return 'busy';
    }
    await sleep(5 * 2 ** tries * Math.random());
  }
};

/**
 * Writes all items or none. Returns false where a condition failed. Throws `unavailable` where every try was refused.
 */
export const changeTogether = async (client: DynamoDBClient, items: TransactWriteItem[]): Promise<boolean> => {
  const failed = await transact(client, items);
  if (failed === 'busy')
    throw new PassPostError('unavailable', 'Another request is changing the same item. Please try again.');
  return failed === -1;
};
