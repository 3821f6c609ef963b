import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { OperatorKey, StoredOperator } from '../../domain/accounts/operator.ts';
import { transact } from '../aws/transact.ts';
import { countOperators, putOperator, putOperatorKey, readOperator, replaceOperatorKey } from './operators-table.ts';

/** Adds the first operator with its API key, in one transaction. Returns false if the operator exists, also if deleted. */
export const addFirstOperator = async (
  client: DynamoDBClient,
  table: string,
  operator: StoredOperator,
  key: OperatorKey,
): Promise<boolean> => {
  const items = [putOperator(table, operator), putOperatorKey(table, key), countOperators(table, 1)];
  const failed = await transact(client, items);
  if (failed === -1 || failed === 0) return failed === -1;
  throw new Error('The first operator could not be added.');
};

/**
 * Gives the first operator another API key, in one transaction; a deleted operator exists again. Returns false if its key
 * changed since it was read.
 */
export const replaceFirstKey = async (
  client: DynamoDBClient,
  table: string,
  before: StoredOperator,
  key: OperatorKey,
): Promise<boolean> => {
  const revived = before.deleted_at ? [countOperators(table, 1)] : [];
  const items = [replaceOperatorKey(table, before, key), putOperatorKey(table, key), ...revived];
  return (await transact(client, items)) === -1;
};

/** Adds the first operator, or gives the existing one its API key if the key is new. */
export const provideFirstOperator = async (
  client: DynamoDBClient,
  table: string,
  operator: StoredOperator,
  key: OperatorKey,
  isNewKey: boolean,
): Promise<void> => {
  if ((await addFirstOperator(client, table, operator, key)) || !isNewKey) return;
  const before = await readOperator(client, table, operator.id);
  if (!before || before.hash === key.hash) return;
  if (!(await replaceFirstKey(client, table, before, key)))
    throw new Error('The first operator has changed meanwhile.');
};
