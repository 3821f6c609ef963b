import { type DynamoDBClient, QueryCommand, type TransactWriteItem, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import type { KeySettings } from '../../domain/accounts/account.ts';
import type { HashedApiKey } from '../../domain/accounts/create-api-key.ts';
import type { ListedApiKey } from '../../domain/accounts/rotate-api-key.ts';
import type { StoredAuditEntry } from '../../domain/foundation/audit.ts';
import { ttlSeconds } from '../../domain/foundation/time.ts';
import { nullIfRefused } from '../aws/conditional-write.ts';
import { inBatches } from '../aws/retry.ts';
import { changeTogether } from '../aws/transact.ts';
import { putAuditEntry } from '../rows/audit-row.ts';
import { rowOf } from '../rows/row.ts';
import { apiKeyKey, apiKeyListingKey, type Key } from '../rows/table-keys.ts';

/** A key that has ended is kept so long, and still shown where it expired. */
const AFTERLIFE_DAYS = 7;

/** Keys of one account that are updated side by side. */
const KEYS_AT_ONCE = 20;

export const endedKeyTtl = (endMs: number): number => ttlSeconds(endMs, AFTERLIFE_DAYS);

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
): Promise<ListedApiKey[]> => {
  const { pk } = apiKeyListingKey(accountId, '');
  const found: ListedApiKey[] = [];
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

/** Changes a row of a key's that is there on a condition; false where it does not hold. */
export const updateKeyRow = async (
  client: DynamoDBClient,
  table: string,
  key: Key,
  set: string,
  condition: string,
  values: object,
): Promise<boolean> => {
  const updated = await nullIfRefused(
    client.send(
      new UpdateItemCommand({
        TableName: table,
        Key: marshall(key),
        UpdateExpression: set,
        ConditionExpression: `attribute_exists(pk)${condition}`,
        ExpressionAttributeNames: { '#ttl': 'ttl' },
        ExpressionAttributeValues: marshall(values),
      }),
    ),
  );
  return updated !== null;
};

/**
 * Ends a key. Two writes: a transaction on the counter's row would lose against a busy key, and a stolen one is busy.
 * Dying between them leaves a key that is refused everywhere and still listed: repeating the call takes it off the list
 * and leaves the entry. False where it was off the list already.
 */
export const revokeApiKey = async (
  client: DynamoDBClient,
  tables: { readonly domain: string; readonly delivery: string },
  accountId: string,
  { id, hash }: ListedApiKey,
  entry: StoredAuditEntry,
  nowMs: number,
): Promise<boolean> => {
  const isLiving = ' AND attribute_not_exists(revoked_at)';
  const values = { ':now': nowMs, ':ttl': endedKeyTtl(nowMs) };
  await updateKeyRow(client, tables.delivery, apiKeyKey(hash), 'SET revoked_at = :now, #ttl = :ttl', isLiving, values);
  const Delete = {
    TableName: tables.delivery,
    Key: marshall(apiKeyListingKey(accountId, id)),
    ConditionExpression: 'attribute_exists(pk)',
  };
  return changeTogether(client, [{ Delete }, putAuditEntry(tables.domain, entry)]);
};

/** Gives every key of an account what the account says, a few at a time. */
export const settleApiKeys = async (
  client: DynamoDBClient,
  table: string,
  accountId: string,
  { limit, retention_days }: KeySettings,
): Promise<void> => {
  const listed = await queryApiKeys(client, table, accountId, {});
  const settle = ({ hash }: ListedApiKey): Promise<unknown> =>
    nullIfRefused(
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
  const settleBatch = async (batch: readonly ListedApiKey[]): Promise<void> => {
    // All of a batch end before an error is thrown.
    const results = await Promise.allSettled(batch.map(settle));
    const failed = results.find(({ status }) => status === 'rejected');
    if (failed?.status === 'rejected') throw failed.reason;
  };
  await inBatches(listed, KEYS_AT_ONCE, settleBatch, 1);
};
