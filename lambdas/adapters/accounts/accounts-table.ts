import { type DynamoDBClient, GetItemCommand, QueryCommand } from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import { type StoredAccount, storedAccountSchema } from '../../domain/accounts/account.ts';
import type { ChangingAccounts } from '../../domain/accounts/change-account.ts';
import type { NewAccounts } from '../../domain/accounts/create-account.ts';
import type { DeletingAccounts } from '../../domain/accounts/delete-account.ts';
import { eraseTasksCommand } from '../../domain/deliveries/command.ts';
import { modes, ownerKey } from '../../domain/foundation/owner.ts';
import type { Page } from '../../domain/foundation/page.ts';
import { putFirstAnswer, readFirstAnswer } from '../aws/first-answers.ts';
import { changeTogether, transact } from '../aws/transact.ts';
import { accountLimitRow } from '../rows/account-limit-row.ts';
import { putAuditEntry } from '../rows/audit-row.ts';
import { putCommand } from '../rows/command-row.ts';
import { rowOf } from '../rows/row.ts';
import { accountIdKey, accountKey, accountLimitKey, accountSlotsKey, apiKeyListKey } from '../rows/table-keys.ts';
import { createAccountContents } from './account-contents.ts';
import { putApiKey, revokeApiKey, settleApiKeys } from './api-keys.ts';
import { queryApiKeys } from './key-list.ts';

/**
 * The idempotency scope of the operator. The first answers to the operator's requests are stored under this scope, so
 * that a request with the same idempotency key gets the same answer.
 */
const OPERATOR = 'operator';

/**
 * Stores accounts in the credentials table, next to their API keys, and the audit entries of accounts in the domain
 * table. The delivery table has a list of the accounts' ids for the roll-up, which may not read the credentials table.
 */
export const createAccountsTable = (
  client: DynamoDBClient,
  tables: { readonly domain: string; readonly delivery: string; readonly credentials: string },
) => {
  const { domain, delivery, credentials: table } = tables;

  /** Returns the transaction items that write an account's own `deliveries_per_minute` where deliver reads it. */
  const limitItems = (id: string, limit: number | undefined) =>
    limit === undefined ? [] : [{ Put: { TableName: domain, Item: marshall(accountLimitRow(id, limit)) } }];

  const accounts: NewAccounts & ChangingAccounts & DeletingAccounts = {
    ...createAccountContents(client, domain),

    firstAnswer: (path, idempotencyKey, nowMs) =>
      readFirstAnswer(
        client,
        table,
        { scope: OPERATOR, path, idempotencyKey },
        (answer) => storedAccountSchema.parse(answer),
        nowMs,
      ),

    async add(account, firstKey, answerToStore, entry, nowMs) {
      const rows = [
        {
          Put: {
            TableName: table,
            Item: marshall(rowOf({ ...account, ...accountKey(account.id), kind: 'account' })),
            ConditionExpression: 'attribute_not_exists(pk)',
          },
        },
        { Put: { TableName: delivery, Item: marshall({ ...accountIdKey(account.id), kind: 'account-id' }) } },
        ...putApiKey(table, firstKey),
      ];
      const failed = await transact(client, [
        ...rows,
        ...limitItems(account.id, account.deliveries_per_minute),
        ...(answerToStore ? [putFirstAnswer(table, { scope: OPERATOR, ...answerToStore }, answerToStore, nowMs)] : []),
        putAuditEntry(domain, entry),
      ]);
      if (failed === -1) return 'added';
      const firstAnswerAt = rows.length + limitItems(account.id, account.deliveries_per_minute).length;
      return failed === firstAnswerAt ? 'repeated' : 'busy';
    },

    async find(id) {
      const Key = marshall(accountKey(id));
      const { Item } = await client.send(new GetItemCommand({ TableName: table, Key, ConsistentRead: true }));
      return Item ? storedAccountSchema.parse(unmarshall(Item)) : null;
    },

    async change(id, change, entry) {
      const changes = Object.entries(change).filter(([, value]) => value !== undefined);
      if (changes.length === 0) return accounts.find(id);
      const set = changes.filter(([, value]) => value !== null);
      const removed = changes.filter(([, value]) => value === null);
      const update = {
        TableName: table,
        Key: marshall(accountKey(id)),
        UpdateExpression: [
          ...(set.length > 0 ? [`SET ${set.map(([name]) => `#${name} = :${name}`).join(', ')}`] : []),
          ...(removed.length > 0 ? [`REMOVE ${removed.map(([name]) => `#${name}`).join(', ')}`] : []),
        ].join(' '),
        ConditionExpression: 'attribute_exists(pk)',
        ExpressionAttributeNames: Object.fromEntries(changes.map(([name]) => [`#${name}`, name])),
        ...(set.length > 0
          ? { ExpressionAttributeValues: marshall(Object.fromEntries(set.map(([name, value]) => [`:${name}`, value]))) }
          : {}),
      };
      const isDone = await changeTogether(client, [
        { Update: update },
        ...limitItems(id, change.deliveries_per_minute),
        putAuditEntry(domain, entry),
      ]);
      return isDone ? accounts.find(id) : null;
    },

    updateKeys: (id, settings) => settleApiKeys(client, table, id, settings),

    // Blocks new keys in a transaction, because `changeTogether` tries again while another transaction creates a key.
    blockNewKeysUntil(id, untilMs) {
      const update = {
        TableName: table,
        Key: marshall(accountKey(id)),
        UpdateExpression: 'SET deleting_until = :until',
        ConditionExpression: 'attribute_exists(pk)',
        ExpressionAttributeValues: marshall({ ':until': untilMs }),
      };
      return changeTogether(client, [{ Update: update }]);
    },

    keys: (id) => queryApiKeys(client, table, id, {}),

    revoke: (id, key, entry, nowMs) => revokeApiKey(client, tables, id, key, entry, nowMs),

    remove(id, entry, nowMs) {
      const Delete = { TableName: table, Key: marshall(accountKey(id)), ConditionExpression: 'attribute_exists(pk)' };
      const deleteId = { Delete: { TableName: delivery, Key: marshall(accountIdKey(id)) } };
      const deleteList = { Delete: { TableName: table, Key: marshall(apiKeyListKey(id)) } };
      const deleteLimit = { Delete: { TableName: domain, Key: marshall(accountLimitKey(id)) } };
      const deleteSlots = { Delete: { TableName: delivery, Key: marshall(accountSlotsKey(id)) } };
      const deletions = [{ Delete }, deleteId, deleteList, deleteLimit, deleteSlots];
      const eraseTasks = modes.map((mode) =>
        putCommand(domain, eraseTasksCommand(ownerKey({ accountId: id, mode }), 1), nowMs),
      );
      return changeTogether(client, [...deletions, ...eraseTasks, putAuditEntry(domain, entry)]);
    },
  };

  return {
    ...accounts,

    /** Lists accounts, newest first. With `after`, lists only the accounts older than that id. */
    async list(limit: number, after: string | undefined): Promise<Page<StoredAccount>> {
      const accountsFound: StoredAccount[] = [];
      let start: QueryCommand['input']['ExclusiveStartKey'] = after ? marshall(accountKey(after)) : undefined;
      do {
        const page = await client.send(
          new QueryCommand({
            TableName: table,
            KeyConditionExpression: 'pk = :pk',
            ExpressionAttributeValues: marshall({ ':pk': accountKey('').pk }),
            ScanIndexForward: false,
            ConsistentRead: true,
            Limit: limit + 1,
            ExclusiveStartKey: start,
          }),
        );
        accountsFound.push(...(page.Items ?? []).map((item) => storedAccountSchema.parse(unmarshall(item))));
        start = page.LastEvaluatedKey;
      } while (start && accountsFound.length <= limit);
      const items = accountsFound.slice(0, limit);
      const last = accountsFound.length > limit ? items.at(-1) : undefined;
      return { items, next: last ? { at: '', id: last.id } : null };
    },
  };
};
