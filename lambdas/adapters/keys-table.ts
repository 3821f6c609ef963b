import {
  ConditionalCheckFailedException,
  DeleteItemCommand,
  type DynamoDBClient,
  GetItemCommand,
  type TransactWriteItem,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import { accountSchema } from '../domain/account.ts';
import { apiKeySchema, type StoredApiKey, storedApiKeySchema } from '../domain/api-key.ts';
import type { NewApiKeys } from '../domain/create-api-key.ts';
import type { Page } from '../domain/page.ts';
import type { LivingApiKeys } from '../domain/rotate-api-key.ts';
import { putApiKey, queryApiKeys } from './api-key-rows.ts';
import { batchGet } from './batch-get.ts';
import { putFirstAnswer, readFirstAnswer } from './first-answers.ts';
import { accountKey, apiKeyKey, apiKeyListingKey, type Key } from './table-keys.ts';
import { transact } from './transact.ts';

/** A key that has ended is kept so long, and still shown where it expired. */
const AFTERLIFE_SECONDS = 7 * 86_400;

const ttlAfter = (timeMs: number): number => Math.ceil(timeMs / 1000) + AFTERLIFE_SECONDS;

/** API keys in the delivery table, which has no stream: their rows are written at every request. */
export const keysTable = (client: DynamoDBClient, table: string) => {
  const rowsOf = async (listed: readonly { hash: string }[]): Promise<Map<string, StoredApiKey>> => {
    const wanted = listed.map(({ hash }) => ({ table, key: apiKeyKey(hash), isConsistent: true }));
    const row = await batchGet(client, wanted);
    return new Map(
      listed.flatMap(({ hash }) => {
        const found = row(table, apiKeyKey(hash));
        return found ? [[hash, storedApiKeySchema.parse(found)] as const] : [];
      }),
    );
  };

  /** Changes a row that is there on a condition; false where it does not hold. */
  const update = async (key: Key, set: string, condition: string, values: object): Promise<boolean> => {
    try {
      await client.send(
        new UpdateItemCommand({
          TableName: table,
          Key: marshall(key),
          UpdateExpression: set,
          ConditionExpression: `attribute_exists(pk)${condition}`,
          ExpressionAttributeNames: { '#ttl': 'ttl' },
          ExpressionAttributeValues: marshall(values),
        }),
      );
      return true;
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) return false;
      throw error;
    }
  };

  const keys: NewApiKeys & LivingApiKeys = {
    firstAnswer: (scope, path, idempotencyKey, nowMs) =>
      readFirstAnswer(client, table, { scope, path, idempotencyKey }, (answer) => apiKeySchema.parse(answer), nowMs),

    async rateLimit(accountId) {
      const Key = marshall(accountKey(accountId));
      const { Item } = await client.send(new GetItemCommand({ TableName: table, Key, ConsistentRead: true }));
      return Item ? accountSchema.parse(unmarshall(Item)).rate_limit_per_minute : null;
    },

    async add(added, left, nowMs) {
      const { account_id, limit } = added.key;
      const scope = account_id ?? '';
      const isLimitStill: TransactWriteItem = {
        ConditionCheck: {
          TableName: table,
          Key: marshall(accountKey(scope)),
          ConditionExpression: 'rate_limit_per_minute = :limit',
          ExpressionAttributeValues: marshall({ ':limit': limit }),
        },
      };
      const items = [
        isLimitStill,
        ...putApiKey(table, added),
        ...(left ? [putFirstAnswer(table, { scope, ...left }, left, nowMs)] : []),
      ];
      const failed = await transact(client, items);
      if (failed === 'busy') return 'busy';
      if (failed === -1) return 'added';
      if (failed === 0) return 'limit_changed';
      return left && failed === items.length - 1 ? 'repeated' : 'busy';
    },

    async find(accountId, id) {
      const Key = marshall(apiKeyListingKey(accountId, id));
      const { Item } = await client.send(new GetItemCommand({ TableName: table, Key, ConsistentRead: true }));
      if (!Item) return null;
      const { hash } = unmarshall(Item);
      const key = (await rowsOf([{ hash }])).get(hash);
      return key ? { hash, key } : null;
    },

    async expire(accountId, { hash, key }, endMs) {
      const ttl = ttlAfter(endMs);
      const isLonger =
        ' AND attribute_not_exists(revoked_at) AND (attribute_not_exists(expires_at) OR expires_at > :end)';
      const values = { ':end': endMs, ':ttl': ttl };
      const isDone = await update(apiKeyKey(hash), 'SET expires_at = :end, #ttl = :ttl', isLonger, values);
      if (isDone) await update(apiKeyListingKey(accountId, key.id), 'SET #ttl = :ttl', '', { ':ttl': ttl });
    },

    async revoke(accountId, { hash, key }, nowMs) {
      const isLiving = ' AND attribute_not_exists(revoked_at)';
      const values = { ':now': nowMs, ':ttl': ttlAfter(nowMs) };
      const isDone = await update(apiKeyKey(hash), 'SET revoked_at = :now, #ttl = :ttl', isLiving, values);
      // Also where it was revoked already: whoever did may have died before this.
      const Key = marshall(apiKeyListingKey(accountId, key.id));
      await client.send(new DeleteItemCommand({ TableName: table, Key }));
      return isDone;
    },
  };

  return {
    ...keys,

    async list(accountId: string, limit: number, after: string | undefined): Promise<Page<StoredApiKey>> {
      const listed = await queryApiKeys(client, table, accountId, { after, limit: limit + 1 });
      const shown = listed.slice(0, limit);
      const rows = await rowsOf(shown);
      const last = listed.length > limit ? shown.at(-1) : undefined;
      return {
        items: shown.flatMap(({ hash }) => rows.get(hash) ?? []).filter(({ revoked_at }) => revoked_at === null),
        next: last ? { at: '', id: last.id } : null,
      };
    },
  };
};
