import {
  DeleteItemCommand,
  type DynamoDBClient,
  GetItemCommand,
  QueryCommand,
  type TransactWriteItem,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import type { ApiKeyList, ListedApiKey } from '../../domain/accounts/key-list.ts';
import { ttlSeconds } from '../../domain/foundation/time.ts';
import { inBatches } from '../aws/retry.ts';
import { apiKeyListingKey, apiKeyListKey } from '../rows/table-keys.ts';

/**
 * Days for which the row of an API key is stored after the key expired or was revoked. During these days an expired key
 * is still listed; a revoked key is not.
 */
const ENDED_KEY_DAYS = 7;

/** The maximum number of expired keys that stay listed when a key is added. The bound keeps the list short to read. */
const MAX_EXPIRED_LISTED = 100;
/** The maximum number of expired keys that one new key removes from the list. */
const MAX_REMOVED = 25;

/** Returns the `ttl`, in epoch seconds, of the row of an API key that expires or is revoked at `endMs`. */
export const endedKeyTtl = (endMs: number): number => ttlSeconds(endMs, ENDED_KEY_DAYS);

/** An entry of the list of API keys. `ttl` is set if the key expires. */
interface ListedWithTtl extends ListedApiKey {
  readonly ttl?: number | undefined;
}

/**
 * Lists the ids and hashes of an account's API keys, newest first. With `after`, lists only the keys older than that
 * id.
 */
export const queryApiKeys = async (
  client: DynamoDBClient,
  table: string,
  accountId: string,
  range: { readonly after?: string | undefined; readonly limit?: number },
): Promise<ListedWithTtl[]> => {
  const { pk } = apiKeyListingKey(accountId, '');
  const keys: ListedWithTtl[] = [];
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
    for (const { sk: id, hash, ttl } of (page.Items ?? []).map((item) => unmarshall(item)))
      keys.push({ id, hash, ttl });
    start = page.LastEvaluatedKey;
  } while (start && (range.limit === undefined || keys.length < range.limit));
  return keys;
};

/**
 * Returns an account's list of API keys. A key counts as living until the second after its end. The version is read
 * before the keys: a key that is added between the two reads makes the version out of date.
 */
export const readKeyList = async (
  client: DynamoDBClient,
  table: string,
  accountId: string,
  nowMs: number,
): Promise<ApiKeyList> => {
  const Key = marshall(apiKeyListKey(accountId));
  const { Item } = await client.send(new GetItemCommand({ TableName: table, Key, ConsistentRead: true }));
  const row = Item && unmarshall(Item);
  const { living = [], expired = [] } = Object.groupBy(await queryApiKeys(client, table, accountId, {}), ({ ttl }) =>
    ttl !== undefined && ttl < endedKeyTtl(nowMs) ? 'expired' : 'living',
  );
  const countsForAccount = row?.counts_for_account === true;
  return { version: Number(row?.version ?? 0), countsForAccount, living, expired };
};

/**
 * Returns the transaction item that raises the version of a list of API keys, if the list is as it was read.
 * `countsForAccount` = the requests of all keys count for the account from now on.
 */
export const raiseListVersion = (
  table: string,
  accountId: string,
  { version }: ApiKeyList,
  countsForAccount: boolean,
): TransactWriteItem => ({
  Update: {
    TableName: table,
    Key: marshall(apiKeyListKey(accountId)),
    UpdateExpression: 'SET version = :next, counts_for_account = :counts, kind = :kind',
    ConditionExpression: version === 0 ? 'attribute_not_exists(pk)' : 'version = :version',
    ExpressionAttributeValues: marshall({
      ':next': version + 1,
      ':counts': countsForAccount,
      ':kind': 'api-key-list',
      ...(version === 0 ? {} : { ':version': version }),
    }),
  },
});

/**
 * Writes into a list of API keys that the requests of all keys count for the account. Raises the version, so that a key
 * that another call is adding is added again, with this setting.
 */
export const countListForAccount = async (client: DynamoDBClient, table: string, accountId: string): Promise<void> => {
  await client.send(
    new UpdateItemCommand({
      TableName: table,
      Key: marshall(apiKeyListKey(accountId)),
      UpdateExpression: 'SET counts_for_account = :true, kind = :kind ADD version :one',
      ExpressionAttributeValues: marshall({ ':true': true, ':kind': 'api-key-list', ':one': 1 }),
    }),
  );
};

/** Removes the oldest expired keys from the list where more than `MAX_EXPIRED_LISTED` are listed. */
export const shortenKeyList = async (
  client: DynamoDBClient,
  table: string,
  accountId: string,
  { expired }: ApiKeyList,
): Promise<void> => {
  await inBatches(expired.slice(MAX_EXPIRED_LISTED).slice(-MAX_REMOVED), 1, async ([listed]) => {
    const Key = marshall(apiKeyListingKey(accountId, listed?.id ?? ''));
    await client.send(new DeleteItemCommand({ TableName: table, Key }));
  });
};
