import type { DynamoDBClient, TransactWriteItem } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import type { OperatorKey, StoredOperator } from '../../domain/accounts/operator.ts';
import { transact } from '../aws/transact.ts';
import { apiKeyKey } from '../rows/table-keys.ts';
import { countOperators, putOperator, putOperatorKey, readOperator, replaceOperatorKey } from './operators-table.ts';

/** Returns the transaction item that gives an operator the API key that an earlier release made without an operator. */
const adoptKey = (table: string, { hash, key }: OperatorKey): TransactWriteItem => ({
  Update: {
    TableName: table,
    Key: marshall(apiKeyKey(hash)),
    UpdateExpression: 'SET id = :id',
    ConditionExpression: 'attribute_exists(pk) AND attribute_not_exists(account_id)',
    ExpressionAttributeValues: marshall({ ':id': key.id }),
  },
});

/**
 * Adds the first operator with its API key, in one transaction. The row of the key may exist already, because an earlier
 * release made only that row. Returns false if the operator exists, also if deleted.
 */
export const addFirstOperator = async (
  client: DynamoDBClient,
  table: string,
  operator: StoredOperator,
  key: OperatorKey,
): Promise<boolean> => {
  const addWith = (keyItem: TransactWriteItem) =>
    transact(client, [putOperator(table, operator), keyItem, countOperators(table, 1)]);
  const first = await addWith(putOperatorKey(table, key));
  const failed = first === 1 ? await addWith(adoptKey(table, key)) : first;
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
