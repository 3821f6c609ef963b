import { type DynamoDBClient, GetItemCommand, type TransactWriteItem } from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import { storedAccountSchema } from '../../domain/accounts/account.ts';
import { apiKeySchema, type StoredApiKey, storedApiKeySchema } from '../../domain/accounts/api-key.ts';
import type { NewApiKeys } from '../../domain/accounts/create-api-key.ts';
import type { LivingApiKeys } from '../../domain/accounts/rotate-api-key.ts';
import type { Page } from '../../domain/foundation/page.ts';
import { batchGet } from '../aws/batch-get.ts';
import { putFirstAnswer, readFirstAnswer } from '../aws/first-answers.ts';
import { transact } from '../aws/transact.ts';
import { putAuditEntry } from '../rows/audit-row.ts';
import { rowOf } from '../rows/row.ts';
import { accountKey, apiKeyKey, apiKeyListingKey, type Key } from '../rows/table-keys.ts';
import { countKeysForAccount, putApiKey, revokeApiKey, updateKeyRow } from './api-keys.ts';
import { endedKeyTtl, queryApiKeys, raiseListVersion, readKeyList, shortenKeyList } from './key-list.ts';

/**
 * Stores API keys in the credentials table, which has no stream, because every request writes the row of its key. The
 * audit entries of API keys are in the domain table.
 */
export const createKeysTable = (
  client: DynamoDBClient,
  tables: { readonly domain: string; readonly credentials: string },
) => {
  const { domain, credentials: table } = tables;
  const readKeys = async (listed: readonly { hash: string }[]): Promise<Map<string, StoredApiKey>> => {
    const requests = listed.map(({ hash }) => ({ table, key: apiKeyKey(hash), isConsistent: true }));
    const find = await batchGet(client, requests);
    return new Map(
      listed.flatMap(({ hash }) => {
        const row = find(table, apiKeyKey(hash));
        return row ? [[hash, storedApiKeySchema.parse(row)] as const] : [];
      }),
    );
  };

  const update = (key: Key, set: string, condition: string, values: object) =>
    updateKeyRow(client, table, key, set, condition, values);

  const keys: NewApiKeys & LivingApiKeys = {
    firstAnswer: (scope, path, idempotencyKey, nowMs) =>
      readFirstAnswer(client, table, { scope, path, idempotencyKey }, (answer) => apiKeySchema.parse(answer), nowMs),

    async account(id) {
      const Key = marshall(accountKey(id));
      const { Item } = await client.send(new GetItemCommand({ TableName: table, Key, ConsistentRead: true }));
      return Item ? storedAccountSchema.parse(unmarshall(Item)) : null;
    },

    listed: (accountId, nowMs) => readKeyList(client, table, accountId, nowMs),

    countForAccount: (listed, ceiling) => countKeysForAccount(client, table, listed, ceiling),

    async add(newKey, list, answerToStore, entry, nowMs) {
      const { account_id, limit, requests_per_minute, counts_for_account, ...days } = newKey.key;
      const { retention_days, task_retention_days } = days;
      const accountId = account_id ?? '';
      await shortenKeyList(client, table, accountId, list);
      const accountIsUnchanged: TransactWriteItem = {
        ConditionCheck: {
          TableName: table,
          Key: marshall(accountKey(accountId)),
          ConditionExpression: [
            'rate_limit_per_minute = :limit',
            // An account without a ceiling of its own has one that follows from the limit.
            '(attribute_not_exists(requests_per_minute) OR requests_per_minute = :ceiling)',
            retention_days === undefined ? 'attribute_not_exists(retention_days)' : 'retention_days = :days',
            task_retention_days === undefined
              ? 'attribute_not_exists(task_retention_days)'
              : 'task_retention_days = :taskDays',
            '(attribute_not_exists(deleting_until) OR deleting_until <= :now)',
          ].join(' AND '),
          ExpressionAttributeValues: marshall(
            rowOf({
              ':limit': limit,
              ':ceiling': requests_per_minute,
              ':days': retention_days,
              ':taskDays': task_retention_days,
              ':now': nowMs,
            }),
          ),
        },
      };
      const rows = [
        accountIsUnchanged,
        raiseListVersion(table, accountId, list, counts_for_account === true),
        ...putApiKey(table, newKey),
      ];
      const failed = await transact(client, [
        ...rows,
        ...(answerToStore ? [putFirstAnswer(table, answerToStore, answerToStore, nowMs)] : []),
        putAuditEntry(domain, entry),
      ]);
      if (failed === 'busy') return 'busy';
      if (failed === -1) return 'added';
      if (failed === 0 || failed === 1) return 'outdated';
      return failed === rows.length ? 'repeated' : 'busy';
    },

    async find(accountId, id) {
      const Key = marshall(apiKeyListingKey(accountId, id));
      const { Item } = await client.send(new GetItemCommand({ TableName: table, Key, ConsistentRead: true }));
      if (!Item) return null;
      const { hash } = unmarshall(Item);
      const key = (await readKeys([{ hash }])).get(hash);
      return key ? { hash, key } : null;
    },

    async expire(accountId, { hash, key }, endMs) {
      const ttl = endedKeyTtl(endMs);
      const endsLater =
        ' AND attribute_not_exists(revoked_at) AND (attribute_not_exists(expires_at) OR expires_at > :end)';
      const values = { ':end': endMs, ':ttl': ttl };
      const isDone = await update(apiKeyKey(hash), 'SET expires_at = :end, #ttl = :ttl', endsLater, values);
      // Writes the end of the key into the list also if the key ends earlier, because a function that died after it wrote
      // the key's row left the end out of the list.
      const listedTtl = isDone ? ttl : Math.min(ttl, endedKeyTtl(key.expires_at ?? endMs));
      await update(apiKeyListingKey(accountId, key.id), 'SET #ttl = :ttl', '', { ':ttl': listedTtl });
    },

    revoke: (accountId, revoked, entry, nowMs) => revokeApiKey(client, tables, accountId, revoked, entry, nowMs),
  };

  return {
    ...keys,

    /**
     * Lists the API keys of an account, newest first, without revoked keys. With `after`, lists only the keys older
     * than that id.
     */
    async list(accountId: string, limit: number, after: string | undefined): Promise<Page<StoredApiKey>> {
      const listed = await queryApiKeys(client, table, accountId, { after, limit: limit + 1 });
      const pageKeys = listed.slice(0, limit);
      const keyOf = await readKeys(pageKeys);
      const last = listed.length > limit ? pageKeys.at(-1) : undefined;
      return {
        items: pageKeys.flatMap(({ hash }) => keyOf.get(hash) ?? []).filter(({ revoked_at }) => revoked_at === null),
        next: last ? { at: '', id: last.id } : null,
      };
    },
  };
};
