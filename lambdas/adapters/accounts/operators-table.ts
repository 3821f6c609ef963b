import { type DynamoDBClient, GetItemCommand, QueryCommand, type TransactWriteItem } from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import {
  type OperatorKey,
  type Operators,
  operatorSchema,
  type StoredOperator,
  storedOperatorSchema,
} from '../../domain/accounts/operator.ts';
import { putFirstAnswer, readFirstAnswer } from '../aws/first-answers.ts';
import { transact } from '../aws/transact.ts';
import { putAuditEntry } from '../rows/audit-row.ts';
import { apiKeyKey, operatorCountKey, operatorKeyOf } from '../rows/table-keys.ts';
import { updateKeyRow } from './api-keys.ts';
import { endedKeyTtl } from './key-list.ts';

/** The idempotency scope of the calls about operators. */
const SCOPE = 'operators';

/** Returns the transaction item that puts the row of an operator's API key, unless the row exists. */
export const putOperatorKey = (table: string, { hash, key }: OperatorKey): TransactWriteItem => ({
  Put: {
    TableName: table,
    Item: marshall({ ...apiKeyKey(hash), kind: 'api-key', ...key }),
    ConditionExpression: 'attribute_not_exists(pk)',
  },
});

/** Returns the transaction item that puts the row of a new operator, unless the row exists. */
export const putOperator = (table: string, operator: StoredOperator): TransactWriteItem => ({
  Put: {
    TableName: table,
    Item: marshall({ ...operator, ...operatorKeyOf(operator.id), kind: 'operator' }, { removeUndefinedValues: true }),
    ConditionExpression: 'attribute_not_exists(pk)',
  },
});

/** Returns the transaction item that counts operators up or down. The item fails if the last operator would go. */
export const countOperators = (table: string, step: 1 | -1): TransactWriteItem => ({
  Update: {
    TableName: table,
    Key: marshall(operatorCountKey),
    UpdateExpression: 'SET kind = :kind ADD n :step',
    ExpressionAttributeValues: marshall({
      ':kind': 'operator-count',
      ':step': step,
      ...(step === -1 ? { ':one': 1 } : {}),
    }),
    ...(step === -1 ? { ConditionExpression: 'n > :one' } : {}),
  },
});

/** Returns the transaction item that replaces an operator's API key, if the operator still has the key that was read. */
export const replaceOperatorKey = (
  table: string,
  before: StoredOperator,
  { hash, key }: OperatorKey,
): TransactWriteItem => ({
  Update: {
    TableName: table,
    Key: marshall(operatorKeyOf(before.id)),
    UpdateExpression: 'SET #hash = :hash, prefix = :prefix, former_hash = :former REMOVE deleted_at',
    ConditionExpression: '#hash = :former',
    ExpressionAttributeNames: { '#hash': 'hash' },
    ExpressionAttributeValues: marshall({ ':hash': hash, ':prefix': key.prefix, ':former': before.hash }),
  },
});

/** Lets an API key expire at this time, unless it expires earlier or was revoked. */
export const expireOperatorKey = async (
  client: DynamoDBClient,
  table: string,
  hash: string,
  endMs: number,
): Promise<void> => {
  const endsLater = ' AND (attribute_not_exists(expires_at) OR expires_at > :end)';
  const values = { ':end': endMs, ':ttl': endedKeyTtl(endMs) };
  await updateKeyRow(client, table, apiKeyKey(hash), 'SET expires_at = :end, #ttl = :ttl', endsLater, values);
};

/** Returns an operator, also a deleted one; null if there is none. */
export const readOperator = async (
  client: DynamoDBClient,
  table: string,
  id: string,
): Promise<StoredOperator | null> => {
  const Key = marshall(operatorKeyOf(id));
  const { Item } = await client.send(new GetItemCommand({ TableName: table, Key, ConsistentRead: true }));
  return Item ? storedOperatorSchema.parse(unmarshall(Item)) : null;
};

/** Stores operators and their API keys in the credentials table. Their audit entries are in the domain table. */
export const createOperatorsTable = (
  client: DynamoDBClient,
  { domain, credentials: table }: { readonly domain: string; readonly credentials: string },
): Operators => ({
  firstAnswer: (path, idempotencyKey, nowMs) =>
    readFirstAnswer(
      client,
      table,
      { scope: SCOPE, path, idempotencyKey },
      (answer) => operatorSchema.parse(answer),
      nowMs,
    ),

  async list() {
    const { Items = [] } = await client.send(
      new QueryCommand({
        TableName: table,
        KeyConditionExpression: 'pk = :pk AND begins_with(sk, :prefix)',
        ExpressionAttributeValues: marshall({ ':pk': operatorKeyOf('').pk, ':prefix': 'opr_' }),
        ConsistentRead: true,
      }),
    );
    return Items.map((item) => storedOperatorSchema.parse(unmarshall(item))).filter(({ deleted_at }) => !deleted_at);
  },

  find: (id) => readOperator(client, table, id),

  async add(operator, key, answerToStore, entry, nowMs) {
    const rows = [putOperator(table, operator), putOperatorKey(table, key), countOperators(table, 1)];
    const failed = await transact(client, [
      ...rows,
      ...(answerToStore ? [putFirstAnswer(table, { scope: SCOPE, ...answerToStore }, answerToStore, nowMs)] : []),
      putAuditEntry(domain, entry),
    ]);
    if (failed === -1) return 'added';
    return failed === rows.length ? 'repeated' : 'busy';
  },

  async replaceKey(before, key, answerToStore, entry, nowMs) {
    const rows = [replaceOperatorKey(table, before, key), putOperatorKey(table, key)];
    const failed = await transact(client, [
      ...rows,
      ...(answerToStore ? [putFirstAnswer(table, { scope: SCOPE, ...answerToStore }, answerToStore, nowMs)] : []),
      putAuditEntry(domain, entry),
    ]);
    if (failed === -1) return 'replaced';
    if (failed === 0) return 'outdated';
    return failed === rows.length ? 'repeated' : 'busy';
  },

  async remove(id, entry) {
    const mark: TransactWriteItem = {
      Update: {
        TableName: table,
        Key: marshall(operatorKeyOf(id)),
        UpdateExpression: 'SET deleted_at = :at',
        ConditionExpression: 'attribute_exists(pk) AND attribute_not_exists(deleted_at)',
        ExpressionAttributeValues: marshall({ ':at': entry.at }),
      },
    };
    const failed = await transact(client, [mark, countOperators(table, -1), putAuditEntry(domain, entry)]);
    if (failed === 'busy') throw new Error('Other requests are changing the operators.');
    return failed === -1 ? 'removed' : failed === 0 ? 'gone' : 'last';
  },

  expireKey: (hash, endMs) => expireOperatorKey(client, table, hash, endMs),
});
