import { shardOf } from '../../domain/foundation/id.ts';
import { retentionOf, SCHEDULE_DAYS } from '../../domain/foundation/retention.ts';
import { ttlSeconds } from '../../domain/foundation/time.ts';
import { jobEvent, type StoredJob } from '../../domain/jobs/job.ts';
import { changesPkOf, jobKey, jobListPk, SHARDS } from './table-keys.ts';

/** Returns the sort key of a job in the list index. `createdAt` is RFC 3339. */
export const jobListSk = (status: string, createdAt: string, id: string): string => `${status}#${createdAt}#${id}`;

/** Returns the row of a job. The row expires like the event that the job's result becomes. */
export const jobToRow = (job: StoredJob, retentionDays: number) => ({
  ...job,
  ...jobKey(job.id),
  kind: 'job',
  list_pk: jobListPk(job.owner, shardOf(job.id, SHARDS)),
  list_sk: jobListSk(job.status, job.created_at, job.id),
  changed_pk: job.completed_at && jobEvent(job) ? changesPkOf(job.completed_at, job.id) : null,
  ttl: ttlSeconds(
    Date.parse(job.completed_at ?? job.created_at),
    retentionOf(job.retention_days, retentionDays) + SCHEDULE_DAYS,
  ),
});

/**
 * Days for which the row of a deleted job is stored: twice the one day for which the API promises that a repeat under the
 * job's Idempotency-Key creates no other job.
 */
const DELETED_DAYS = 2;

/** Returns the row of a deleted job. No list has the row, because it has no key of the index. */
export const deletedJobToRow = (job: StoredJob, nowMs: number) => ({
  ...job,
  ...jobKey(job.id),
  kind: 'job',
  ttl: ttlSeconds(nowMs, DELETED_DAYS),
});
