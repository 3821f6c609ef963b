import { type DynamoDBClient, paginateQuery, type TransactWriteItem } from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import type { ContentKind, DeletingAccounts } from '../../domain/accounts/delete-account.ts';
import { catalogue } from '../../domain/events/built-in-types.ts';
import { modes, ownerKey } from '../../domain/foundation/owner.ts';
import type { Position } from '../../domain/foundation/page.ts';
import { EVERYTHING } from '../../domain/webhooks/webhook.ts';
import { batchGet } from '../aws/batch-get.ts';
import { inBatches } from '../aws/retry.ts';
import { newestFirst, queryPositions, queryStatuses } from '../aws/status-list.ts';
import { changeTogether } from '../aws/transact.ts';
import {
  eventTypeKey,
  indexes,
  jobKey,
  jobListPk,
  routingKey,
  SHARDS,
  taskListPk,
  templateKey,
  webhookCountKey,
  webhookKey,
} from '../rows/table-keys.ts';

/** A job's row may hold half a megabyte. */
const JOBS_AT_ONCE = 10;
/** DynamoDB takes at most 100 in one transaction. */
const TRANSACTION = 100;

/** What a row of an owner's own partition tells here. */
interface OwnedRow {
  readonly sk: string;
  /** A webhook's. */
  readonly events?: readonly string[];
  /** A deleted one's. */
  readonly deleted_at?: string;
}

/** What an account has in the domain table: what must not be lost with it, and what would stay there for ever and tell nothing. */
export const createAccountContents = (
  client: DynamoDBClient,
  table: string,
): Pick<DeletingAccounts, 'contents' | 'clear'> => {
  /** Templates, event types and webhooks, which stand side by side in this order; the deleted webhooks, too. */
  const owned = async (owner: string): Promise<OwnedRow[]> => {
    const { pk, sk: first } = templateKey(owner, '');
    const found: OwnedRow[] = [];
    const query = {
      TableName: table,
      KeyConditionExpression: 'pk = :pk AND sk BETWEEN :first AND :last',
      ProjectionExpression: 'sk, events, deleted_at',
      ExpressionAttributeValues: marshall({ ':pk': pk, ':first': first, ':last': webhookKey(owner, 'whk_~').sk }),
      ConsistentRead: true,
    };
    for await (const { Items = [] } of paginateQuery({ client }, query)) {
      found.push(...Items.map((item) => unmarshall(item) as OwnedRow));
    }
    return found;
  };

  const hasTask = async (owner: string): Promise<boolean> => {
    const shards = Array.from({ length: SHARDS }, (_, shard) => {
      const run = { index: indexes.list, attribute: 'list', pk: taskListPk(owner, shard), prefix: '' } as const;
      return queryPositions(client, table, run, { limit: 1, after: null });
    });
    return (await Promise.all(shards)).some((positions) => positions.length > 0);
  };

  /** The index lags behind the row, and DynamoDB deletes what has expired late: the row decides. */
  const hasUnfinishedJob = async (owner: string, nowMs: number): Promise<boolean> => {
    const statuses = ['pending', 'running'];
    for (let after: Position | null = null; ; ) {
      const page = { limit: JOBS_AT_ONCE, after };
      const found = await queryStatuses(client, table, (shard) => jobListPk(owner, shard), statuses, page);
      const shown = found.toSorted(newestFirst).slice(0, JOBS_AT_ONCE);
      const keys = shown.map(({ id }) => jobKey(id));
      const rows = await batchGet(
        client,
        keys.map((key) => ({ table, key, isConsistent: true })),
      );
      const isUnfinished = keys.some((key) => {
        const row = rows(table, key);
        return statuses.includes(String(row?.status)) && Number(row?.ttl) * 1000 > nowMs;
      });
      if (isUnfinished || found.length <= JOBS_AT_ONCE) return isUnfinished;
      after = shown.at(-1) ?? null;
    }
  };

  return {
    async contents(id, nowMs) {
      const ofModes = modes.map(async (mode) => {
        const owner = ownerKey({ accountId: id, mode });
        const [rows, isJob, isTask] = await Promise.all([owned(owner), hasUnfinishedJob(owner, nowMs), hasTask(owner)]);
        const begins = (prefix: string) => rows.some(({ sk, deleted_at }) => sk.startsWith(prefix) && !deleted_at);
        const has: Readonly<Record<ContentKind, boolean>> = {
          webhooks: begins(webhookKey(owner, 'whk_').sk),
          event_types: begins(eventTypeKey(owner, '').sk),
          templates: begins(templateKey(owner, '').sk),
          jobs: isJob,
          tasks: isTask,
        };
        const kinds = Object.entries(has) as [ContentKind, boolean][];
        return kinds.filter(([, isThere]) => isThere).map(([kind]) => ({ kind, mode }));
      });
      return (await Promise.all(ofModes)).flat();
    },

    // Counts of webhooks, and who wants a type where nobody does. A type of the account's own that no webhook of the last
    // weeks named is not known any more: its few bytes stay.
    async clear(id) {
      for (const mode of modes) {
        const owner = ownerKey({ accountId: id, mode });
        const named = (await owned(owner)).flatMap(({ events = [] }) => events);
        const types = new Set([EVERYTHING, ...catalogue.map(({ name }) => name), ...named]);
        const keys = [webhookCountKey(owner), ...[...types].map((type) => routingKey(owner, type))];
        const items = keys.map((key): TransactWriteItem => ({ Delete: { TableName: table, Key: marshall(key) } }));
        await inBatches(items, TRANSACTION, (batch) => changeTogether(client, batch), 1);
      }
    },
  };
};
