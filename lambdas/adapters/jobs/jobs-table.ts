import {
  ConditionalCheckFailedException,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
} from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import type { Page, Position } from '../../domain/foundation/page.ts';
import type { CompletingJobs } from '../../domain/jobs/complete-job.ts';
import type { NewJobs } from '../../domain/jobs/create-job.ts';
import type { DeletingJobs } from '../../domain/jobs/delete-job.ts';
import { type JobStatus, type JobType, jobStatuses, type StoredJob, storedJobSchema } from '../../domain/jobs/job.ts';
import { storedWebhookSchema } from '../../domain/webhooks/webhook.ts';
import { batchGet } from '../aws/batch-get.ts';
import { newestFirst, type PageRequest, queryStatuses } from '../aws/status-list.ts';
import { changeTogether } from '../aws/transact.ts';
import { putAuditEntry } from '../rows/audit-row.ts';
import { deletedJobToRow, jobToRow } from '../rows/job-row.ts';
import { isExpired, rowOf } from '../rows/row.ts';
import { jobKey, jobListPk, webhookKey } from '../rows/table-keys.ts';
import { subscribersOfType } from '../webhooks/event-routing.ts';

export interface JobsTable extends NewJobs, CompletingJobs, DeletingJobs {
  /** Lists an owner's jobs, newest first: the jobs in one status, or all jobs. */
  list(owner: string, status: JobStatus | undefined, page: PageRequest & { nowMs: number }): Promise<Page<StoredJob>>;
  /**
   * Returns whether the owner has an enabled webhook with this profile that subscribes to the type for every resource.
   */
  hasWebhook(owner: string, type: JobType, profile: string): Promise<boolean>;
}

/**
 * The maximum number of bytes of `input`, `data` and `meta` on one page of jobs. The response of a function holds at
 * most 6 MB, in which each quotation mark of the body takes two bytes.
 */
const MAX_PAGE_BYTES = 2_500_000;

/** Returns the job of a row, or null if the row has expired, because DynamoDB deletes expired rows with a delay. */
const unexpiredJob = (row: Readonly<Record<string, unknown>>, nowMs: number): StoredJob | null =>
  isExpired(row, nowMs) ? null : storedJobSchema.parse(row);

/** Stores jobs in the domain table, whose stream carries the results of asynchronous jobs to the fan-out. */
export const createJobsTable = (client: DynamoDBClient, table: string, retentionDays: number): JobsTable => {
  /** Writes a job if the condition holds. Returns null on success, or the stored job if the condition failed. */
  const putIf = async (job: StoredJob, condition: string, values?: Record<string, unknown>) => {
    try {
      await client.send(
        new PutItemCommand({
          TableName: table,
          Item: marshall(rowOf(jobToRow(job, retentionDays))),
          ConditionExpression: condition,
          ...(values ? { ExpressionAttributeValues: marshall(values) } : {}),
          ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
        }),
      );
      return null;
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException && error.Item) {
        return storedJobSchema.parse(unmarshall(error.Item));
      }
      throw error;
    }
  };

  /** Returns the jobs at positions until a response is full, and as `last` the last position that was read. */
  const readJobs = async (positions: readonly Position[], nowMs: number) => {
    const keyed = positions.map((position) => ({ position, key: jobKey(position.id) }));
    const find = await batchGet(
      client,
      keyed.map(({ key }) => ({ table, key, isConsistent: true })),
    );
    const items: StoredJob[] = [];
    let last: Position | null = null;
    let bytes = 0;
    for (const { position, key } of keyed) {
      const row = find(table, key);
      const job = row && unexpiredJob(row, nowMs);
      for (const text of job ? [job.input, job.data, job.meta] : []) bytes += Buffer.byteLength(text ?? '');
      if (last && bytes > MAX_PAGE_BYTES) break;
      if (job) items.push(job);
      last = position;
    }
    return { items, last };
  };

  return {
    add: (job) => putIf(job, 'attribute_not_exists(pk)'),

    replace: (job, version) => putIf(job, 'version = :version', { ':version': version }),

    async get(owner, id, { isLatest, nowMs }) {
      const { Item } = await client.send(
        new GetItemCommand({ TableName: table, Key: marshall(jobKey(id)), ConsistentRead: isLatest }),
      );
      const job = Item && unexpiredJob(unmarshall(Item), nowMs);
      return job?.owner === owner ? job : null;
    },

    remove: (deleted, version, entry, nowMs) =>
      changeTogether(client, [
        {
          Put: {
            TableName: table,
            Item: marshall(rowOf(deletedJobToRow(deleted, nowMs)), { removeUndefinedValues: true }),
            ConditionExpression: '#version = :version',
            ExpressionAttributeNames: { '#version': 'version' },
            ExpressionAttributeValues: marshall({ ':version': version }),
          },
        },
        putAuditEntry(table, entry),
      ]),

    async list(owner, status, { nowMs, ...page }) {
      const statuses = status ? [status] : jobStatuses;
      const unsorted = await queryStatuses(client, table, (shard) => jobListPk(owner, shard), statuses, page);
      const positions = unsorted.toSorted(newestFirst);
      const pagePositions = positions.slice(0, page.limit);
      const { items, last } = await readJobs(pagePositions, nowMs);
      const isLastPage = last === (pagePositions.at(-1) ?? null) && positions.length <= page.limit;
      // Filters by the row, because the index lags behind the row.
      const listed = items.filter((job) => job.deleted_at === undefined && (!status || job.status === status));
      return { items: listed, next: isLastPage ? null : last };
    },

    async hasWebhook(owner, type, profile) {
      const subscribers = await subscribersOfType(client, table, owner, type);
      // Ignores webhooks with a resource filter, which do not receive the result of a job, because a job has no
      // resource.
      const keys = subscribers
        .filter(({ resource }) => resource === null)
        .map(({ webhookId }) => webhookKey(owner, webhookId));
      const rows = await batchGet(
        client,
        keys.map((key) => ({ table, key, isConsistent: true })),
      );
      return keys.some((key) => {
        const webhook = storedWebhookSchema.safeParse(rows(table, key)).data;
        return webhook?.enabled === true && webhook.deleted_at === null && webhook.profile === profile;
      });
    },
  };
};
