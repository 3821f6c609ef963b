import { shardOf } from '../../domain/foundation/id.ts';
import { retentionOf } from '../../domain/foundation/retention.ts';
import type { StoredJob } from '../../domain/jobs/job.ts';
import { jobKey, jobListPk, SHARDS } from './table-keys.ts';

export const jobToRow = (job: StoredJob, retentionDays: number) => ({
  ...job,
  ...jobKey(job.id),
  kind: 'job',
  list_pk: jobListPk(job.owner, shardOf(job.id, SHARDS)),
  list_sk: `${job.status}#${job.created_at}#${job.id}`,
  // Like an event, which its result becomes.
  ttl:
    Math.ceil(Date.parse(job.completed_at ?? job.created_at) / 1000) +
    (retentionOf(job.retention_days, retentionDays) + 14) * 86_400,
});
