import { type DynamoDBClient, paginateQuery, type TransactWriteItem } from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import type { ContentKind, DeletingAccounts } from '../../domain/accounts/delete-account.ts';
import { signingAlgs } from '../../domain/deliveries/profile.ts';
import { modes, ownerKey } from '../../domain/foundation/owner.ts';
import type { Position } from '../../domain/foundation/page.ts';
import { batchGet } from '../aws/batch-get.ts';
import { newestFirst, queryStatuses } from '../aws/status-list.ts';
import { changeTogether } from '../aws/transact.ts';
import { isExpired } from '../rows/row.ts';
import {
  eventTypeKey,
  indexes,
  jobKey,
  jobListPk,
  SHARDS,
  signingKeysKey,
  taskKey,
  taskListPk,
  templateKey,
  webhookCountKey,
  webhookKey,
} from '../rows/table-keys.ts';

/** The maximum number of jobs that one read loads. The row of a job may hold half a megabyte. */
const JOBS_AT_ONCE = 10;
/** The maximum number of tasks that one read loads. */
const TASKS_AT_ONCE = 100;

/** The attributes that are read of the row of a template, an event type or a webhook. */
interface OwnedRow {
  readonly sk: string;
  /** When a webhook was deleted. The rows of webhooks that exist, of templates and of event types do not have it. */
  readonly deleted_at?: string;
}

/**
 * Reads and deletes the contents of an account in the domain table. `contents` returns the kinds of data that block the
 * deletion of the account; `clear` deletes rows that never expire and are useless without the account.
 */
export const createAccountContents = (
  client: DynamoDBClient,
  table: string,
): Pick<DeletingAccounts, 'contents' | 'clear'> => {
  /** Reads the rows of one partition: an owner's webhooks, or an owner's templates and event types. */
  const readPartition = async (pk: string): Promise<OwnedRow[]> => {
    const rows: OwnedRow[] = [];
    const query = {
      TableName: table,
      KeyConditionExpression: 'pk = :pk',
      ProjectionExpression: 'sk, deleted_at',
      ExpressionAttributeValues: marshall({ ':pk': pk }),
      ConsistentRead: true,
    };
    for await (const { Items = [] } of paginateQuery({ client }, query)) {
      rows.push(...Items.map((item) => unmarshall(item) as OwnedRow));
    }
    return rows;
  };

  /** Reads an owner's webhooks, including deleted webhooks. */
  const readWebhooks = (owner: string): Promise<OwnedRow[]> => readPartition(webhookKey(owner, '').pk);

  /**
   * Returns whether a partition of the list index has a task with personal data. Tasks whose personal data is erased have
   * a `type` in the index, so the query leaves them out.
   */
  const shardHasTask = async (pk: string, nowMs: number): Promise<boolean> => {
    const query = {
      TableName: table,
      IndexName: indexes.list,
      KeyConditionExpression: 'list_pk = :pk',
      FilterExpression: 'attribute_not_exists(#type)',
      ExpressionAttributeNames: { '#type': 'type' },
      ExpressionAttributeValues: marshall({ ':pk': pk }),
    };
    for await (const { Items = [] } of paginateQuery({ client }, query)) {
      const ids = Items.map((item) => String(unmarshall(item).list_sk).split('#').at(-1) ?? '');
      if (await someTaskHasData(ids, nowMs)) return true;
    }
    return false;
  };

  /** Reads the rows of tasks, because the index lags behind the rows and DynamoDB deletes expired rows with a delay. */
  const someTaskHasData = async (ids: readonly string[], nowMs: number): Promise<boolean> => {
    for (let i = 0; i < ids.length; i += TASKS_AT_ONCE) {
      const keys = ids.slice(i, i + TASKS_AT_ONCE).map(taskKey);
      const rows = await batchGet(
        client,
        keys.map((key) => ({ table, key, isConsistent: true })),
      );
      const hasData = keys.some((key) => {
        const row = rows(table, key);
        return row !== null && row.type === undefined && !isExpired(row, nowMs);
      });
      if (hasData) return true;
    }
    return false;
  };

  const hasTask = async (owner: string, nowMs: number): Promise<boolean> => {
    const shards = Array.from({ length: SHARDS }, (_, shard) => shardHasTask(taskListPk(owner, shard), nowMs));
    return (await Promise.all(shards)).includes(true);
  };

  /**
   * Returns whether the owner has a pending or running job. Reads the rows of the jobs that the index lists, because
   * the index lags behind the rows and DynamoDB deletes expired rows with a delay.
   */
  const hasUnfinishedJob = async (owner: string, nowMs: number): Promise<boolean> => {
    const statuses = ['pending', 'running'];
    for (let after: Position | null = null; ; ) {
      const page = { limit: JOBS_AT_ONCE, after };
      const positions = await queryStatuses(client, table, (shard) => jobListPk(owner, shard), statuses, page);
      const pagePositions = positions.toSorted(newestFirst).slice(0, JOBS_AT_ONCE);
      const keys = pagePositions.map(({ id }) => jobKey(id));
      const rows = await batchGet(
        client,
        keys.map((key) => ({ table, key, isConsistent: true })),
      );
      const isUnfinished = keys.some((key) => {
        const row = rows(table, key);
        return row !== null && statuses.includes(String(row.status)) && !isExpired(row, nowMs);
      });
      if (isUnfinished || positions.length <= JOBS_AT_ONCE) return isUnfinished;
      after = pagePositions.at(-1) ?? null;
    }
  };

  return {
    async contents(id, nowMs) {
      const ofModes = modes.map(async (mode) => {
        const owner = ownerKey({ accountId: id, mode });
        const [webhooks, catalogueRows, hasJob, hasTasks] = await Promise.all([
          readWebhooks(owner),
          readPartition(eventTypeKey(owner, '').pk),
          hasUnfinishedJob(owner, nowMs),
          hasTask(owner, nowMs),
        ]);
        const hasCatalogueRow = (prefix: string) => catalogueRows.some(({ sk }) => sk.startsWith(prefix));
        const has: Readonly<Record<ContentKind, boolean>> = {
          webhooks: webhooks.some(({ deleted_at }) => !deleted_at),
          event_types: hasCatalogueRow(eventTypeKey(owner, '').sk),
          templates: hasCatalogueRow(templateKey(owner, '').sk),
          jobs: hasJob,
          tasks: hasTasks,
        };
        const kinds = Object.entries(has) as [ContentKind, boolean][];
        return kinds.filter(([, isPresent]) => isPresent).map(([kind]) => ({ kind, mode }));
      });
      return (await Promise.all(ofModes)).flat();
    },

    // Deletes the account's webhook counts and signing keys. Its routing rows are gone, because they exist only while they
    // have webhooks.
    async clear(id) {
      const owners = modes.map((mode) => ownerKey({ accountId: id, mode }));
      const keys = owners.flatMap((owner) => [
        webhookCountKey(owner),
        ...signingAlgs.map((alg) => signingKeysKey(owner, alg)),
      ]);
      const items = keys.map((key): TransactWriteItem => ({ Delete: { TableName: table, Key: marshall(key) } }));
      await changeTogether(client, items);
    },
  };
};
