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

/**
 * Days for which the row of an API key is stored after the key expired or was revoked. During these days an expired key
 * is still listed; a revoked key is not.
 */
const ENDED_KEY_DAYS = 7;

/** How many API keys of an account are updated at the same time. */
const KEYS_AT_ONCE = 20;

/** Returns the `ttl`, in epoch seconds, of the row of an API key that expires or is revoked at `endMs`. */
export const endedKeyTtl = (endMs: number): number => ttlSeconds(endMs, ENDED_KEY_DAYS);

/**
 * Returns the transaction items that put the two rows of a new API key: the key itself, found by its hash, and its
 * entry in the account's list of keys.
 */
export const putApiKey = (table: string, { hash, key }: HashedApiKey): TransactWriteItem[] => {
  const ttl = key.expires_at && endedKeyTtl(key.expires_at);
  const rows = [
    { ...key, ...apiKeyKey(hash), kind: 'api-key', ttl },
    { ...apiKeyListingKey(key.account_id ?? '', key.id), kind: 'api-key-listing', hash, ttl },
  ];
  return rows.map((row) => ({
    Put: { TableName: table, Item: marshall(rowOf(row)), ConditionExpression: 'attribute_not_exists(pk)' },
  }));
};

/**
 * Lists the ids and hashes of an account's API keys, newest first. With `after`, lists only the keys older than that
 * id.
 */
export const queryApiKeys = async (
  client: DynamoDBClient,
  table: string,
  accountId: string,
  range: { readonly after?: string | undefined; readonly limit?: number },
): Promise<ListedApiKey[]> => {
  const { pk } = apiKeyListingKey(accountId, '');
  const keys: ListedApiKey[] = [];
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
    for (const row of (page.Items ?? []).map((item) => unmarshall(item))) keys.push({ id: row.sk, hash: row.hash });
    start = page.LastEvaluatedKey;
  } while (start && (range.limit === undefined || keys.length < range.limit));
  return keys;
};

/**
 * Updates one of the two rows of an API key by the update expression `set`. `condition` is appended to the check that
 * the row exists. Returns false if the condition does not hold.
 */
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
 * Revokes an API key in two writes, because a transaction would fail again and again: every request of a busy key
 * writes the key's row, and a stolen key is often busy. After a crash between the writes the key is refused and still
 * listed; a second call completes the revocation. Returns false if the key is not listed.
 */
export const revokeApiKey = async (
  client: DynamoDBClient,
  tables: { readonly domain: string; readonly credentials: string },
  accountId: string,
  { id, hash }: ListedApiKey,
  entry: StoredAuditEntry,
  nowMs: number,
): Promise<boolean> => {
  const isNotRevoked = ' AND attribute_not_exists(revoked_at)';
  const values = { ':now': nowMs, ':ttl': endedKeyTtl(nowMs) };
  await updateKeyRow(
    client,
    tables.credentials,
    apiKeyKey(hash),
    'SET revoked_at = :now, #ttl = :ttl',
    isNotRevoked,
    values,
  );
  const Delete = {
    TableName: tables.credentials,
    Key: marshall(apiKeyListingKey(accountId, id)),
    ConditionExpression: 'attribute_exists(pk)',
  };
  return changeTogether(client, [{ Delete }, putAuditEntry(tables.domain, entry)]);
};

/** Writes the account's rate limit and retention into the rows of all its keys, a batch at a time. */
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
    // Waits for the writes of all API keys in the batch, and only then throws the first error of a write.
    const results = await Promise.allSettled(batch.map(settle));
    const failed = results.find(({ status }) => status === 'rejected');
    if (failed?.status === 'rejected') throw failed.reason;
  };
  await inBatches(listed, KEYS_AT_ONCE, settleBatch, 1);
};
