import { type DynamoDBClient, QueryCommand, type TransactWriteItem, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import type { KeySettings } from '../domain/account.ts';
import type { HashedApiKey } from '../domain/create-api-key.ts';
import { rowOf } from './partiql.ts';
import { apiKeyKey, apiKeyListingKey } from './table-keys.ts';

/** The rows of a new key: its own, found by its hash, and its place in the account's listing. */
export const putApiKey = (table: string, { hash, key }: HashedApiKey): TransactWriteItem[] => {
  const rows = [
    { ...key, ...apiKeyKey(hash), kind: 'api-key' },
    { ...apiKeyListingKey(key.account_id ?? '', key.id), kind: 'api-key-listing', hash },
  ];
  return rows.map((row) => ({
    Put: { TableName: table, Item: marshall(rowOf(row)), ConditionExpression: 'attribute_not_exists(pk)' },
  }));
};

/** The listing of an account's keys: ids and hashes, newest first. */
export const queryApiKeys = async (
  client: DynamoDBClient,
  table: string,
  accountId: string,
  range: { readonly after?: string | undefined; readonly limit?: number },
): Promise<{ id: string; hash: string }[]> => {
  const { pk } = apiKeyListingKey(accountId, '');
  const found: { id: string; hash: string }[] = [];
  let start: QueryCommand['input']['ExclusiveStartKey'] = range.after
    ? marshall(apiKeyListingKey(accountId, range.after))
    : undefined;
  do {
    const page = await client.send(
      new QueryCommand({
        TableName: table,
        KeyConditionExpression: 'pk = :pk AND begins_with(sk, :prefix)',
        ExpressionAttributeValues: marshall({ ':pk': pk, ':prefix': 'key_' }),
        ScanIndexForward: false,
        ConsistentRead: true,
        Limit: range.limit,
        ExclusiveStartKey: start,
      }),
    );
    for (const row of (page.Items ?? []).map((item) => unmarshall(item))) found.push({ id: row.sk, hash: row.hash });
    start = page.LastEvaluatedKey;
  } while (start && (range.limit === undefined || found.length < range.limit));
  return found;
};

/** Gives every key of an account what the account says, a few at a time. */
export const settleApiKeys = async (
  client: DynamoDBClient,
  table: string,
  accountId: string,
  { limit, retention_days }: KeySettings,
): Promise<void> => {
  const listed = await queryApiKeys(client, table, accountId, {});
  for (let i = 0; i < listed.length; i += 20) {
    const some = listed.slice(i, i + 20).map(({ hash }) =>
      client.send(
        new UpdateItemCommand({
          TableName: table,
          Key: marshall(apiKeyKey(hash)),
          UpdateExpression: `SET #limit = :limit${retention_days === undefined ? '' : ', retention_days = :days'}`,
          ExpressionAttributeNames: { '#limit': 'limit' },
          ExpressionAttributeValues: marshall(rowOf({ ':limit': limit, ':days': retention_days })),
          ConditionExpression: 'attribute_exists(pk)',
        }),
      ),
    );
    const settled = await Promise.allSettled(some);
    const failed = settled.find(
      (result) => result.status === 'rejected' && result.reason?.name !== 'ConditionalCheckFailedException',
    );
    if (failed?.status === 'rejected') throw failed.reason;
  }
};
