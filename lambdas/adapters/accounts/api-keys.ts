import {
  type DynamoDBClient,
  type TransactWriteItem,
  UpdateItemCommand,
  type UpdateItemCommandInput,
} from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import { couldPassCeiling, type KeySettings } from '../../domain/accounts/account.ts';
import type { HashedApiKey } from '../../domain/accounts/create-api-key.ts';
import { keysEverMade, type ListedApiKey } from '../../domain/accounts/key-list.ts';
import type { StoredAuditEntry } from '../../domain/foundation/audit.ts';
import { nullIfRefused } from '../aws/conditional-write.ts';
import { inBatches } from '../aws/retry.ts';
import { changeTogether } from '../aws/transact.ts';
import { putAuditEntry } from '../rows/audit-row.ts';
import { rowOf } from '../rows/row.ts';
import { apiKeyKey, apiKeyListingKey, type Key } from '../rows/table-keys.ts';
import { countListForAccount, endedKeyTtl, queryApiKeys, readKeyList } from './key-list.ts';

/** How many API keys of an account are updated at the same time. */
const KEYS_AT_ONCE = 20;

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

/** Updates the rows of API keys, a batch at a time. A row that does not exist is left out. */
const updateKeyRows = async (
  client: DynamoDBClient,
  table: string,
  keys: readonly ListedApiKey[],
  update: Pick<UpdateItemCommandInput, 'UpdateExpression' | 'ExpressionAttributeNames' | 'ExpressionAttributeValues'>,
): Promise<void> => {
  const updateRow = ({ hash }: ListedApiKey): Promise<unknown> => {
    const row = { TableName: table, Key: marshall(apiKeyKey(hash)), ConditionExpression: 'attribute_exists(pk)' };
    return nullIfRefused(client.send(new UpdateItemCommand({ ...row, ...update })));
  };
  const updateBatch = async (batch: readonly ListedApiKey[]): Promise<void> => {
    // Waits for the writes of all API keys in the batch, and only then throws the first error of a write.
    const results = await Promise.allSettled(batch.map(updateRow));
    const failed = results.find(({ status }) => status === 'rejected');
    if (failed?.status === 'rejected') throw failed.reason;
  };
  await inBatches(keys, KEYS_AT_ONCE, updateBatch, 1);
};

/**
 * Makes the requests of API keys count for the account. A ceiling that is in the row already stays, because a concurrent
 * change of the account may have written a newer one.
 */
export const countKeysForAccount = (
  client: DynamoDBClient,
  table: string,
  keys: readonly ListedApiKey[],
  ceiling: number,
): Promise<void> =>
  updateKeyRows(client, table, keys, {
    UpdateExpression:
      'SET counts_for_account = :true, requests_per_minute = if_not_exists(requests_per_minute, :ceiling)',
    ExpressionAttributeValues: marshall({ ':true': true, ':ceiling': ceiling }),
  });

/**
 * Writes the account's limits and retention into the rows of all its keys. If the keys could together pass the ceiling,
 * their requests count for the account from then on. That the keys count is written into their list first, so that a key
 * that another call adds counts too.
 */
export const settleApiKeys = async (
  client: DynamoDBClient,
  table: string,
  accountId: string,
  settings: KeySettings,
): Promise<void> => {
  const { limit, requests_per_minute, retention_days, task_retention_days } = settings;
  const list = await readKeyList(client, table, accountId, 0);
  const counts = list.countsForAccount || couldPassCeiling(keysEverMade(list), settings);
  if (counts && !list.countsForAccount) await countListForAccount(client, table, accountId);
  await updateKeyRows(client, table, await queryApiKeys(client, table, accountId, {}), {
    UpdateExpression: [
      'SET #limit = :limit, requests_per_minute = :ceiling',
      ...(retention_days === undefined ? [] : ['retention_days = :days']),
      ...(counts ? ['counts_for_account = :counts'] : []),
      ...(task_retention_days === undefined ? [] : ['task_retention_days = :taskDays']),
    ]
      .join(', ')
      .concat(task_retention_days === undefined ? ' REMOVE task_retention_days' : ''),
    ExpressionAttributeNames: { '#limit': 'limit' },
    ExpressionAttributeValues: marshall(
      rowOf({
        ':limit': limit,
        ':ceiling': requests_per_minute,
        ':days': retention_days,
        ':taskDays': task_retention_days,
        ':counts': counts ? true : undefined,
      }),
    ),
  });
};
