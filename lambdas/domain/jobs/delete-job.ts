import { type Actor, auditEntry, type StoredAuditEntry } from '../foundation/audit.ts';
import { notFound, PassPostError } from '../foundation/errors.ts';
import { isAnswerDue } from './create-job.ts';
import type { StoredJob } from './job.ts';

export interface DeletingJobs {
  /** Returns the job, deleted jobs included, or null if it does not exist. */
  get(owner: string, id: string, options: { isLatest: boolean; nowMs: number }): Promise<StoredJob | null>;
  /**
   * Replaces the job by its deleted form and adds the audit entry, in one transaction. Returns false if the stored job has
   * another version.
   */
  remove(deleted: StoredJob, version: number, entry: StoredAuditEntry, nowMs: number): Promise<boolean>;
}

export interface JobDeletion {
  readonly owner: string;
  readonly id: string;
  readonly by: Actor;
  readonly requestId: string;
  readonly nowMs: number;
}

const conflict = (code: string, message: string): PassPostError =>
  new PassPostError('conflict', message, { errors: [{ path: 'status', code, message }] });

/** Returns the job without its input and its result, and without the hashes of the requests that brought them. */
const deletedJob = (job: StoredJob, { requestId, nowMs }: JobDeletion): StoredJob => ({
  ...job,
  input: 'null',
  meta: null,
  data: null,
  content_hash: null,
  completed_by_key: undefined,
  version: job.version + 1,
  deleted_at: new Date(nowMs).toISOString(),
  written_by: requestId,
  trace_id: undefined,
});

/**
 * Deletes a finished job. Does nothing if it was deleted in the last two days. Throws `not_found`, or `conflict` if a
 * worker or the caller of the job still needs it.
 */
export const deleteJob = async (deletion: JobDeletion, jobs: DeletingJobs): Promise<void> => {
  const { owner, id, by, nowMs } = deletion;
  for (;;) {
    const job = await jobs.get(owner, id, { isLatest: true, nowMs });
    if (job === null) throw notFound('job');
    if (job.deleted_at !== undefined) return;
    if (job.status !== 'completed' && job.status !== 'failed')
      throw conflict('not_finished', `The job is ${job.status}: it must be finished first.`);
    if (isAnswerDue(job, nowMs))
      throw conflict('awaited', 'The call that created the job may still wait for its result.');
    if (await jobs.remove(deletedJob(job, deletion), job.version, auditEntry(by, 'job.deleted', id, nowMs), nowMs))
      return;
  }
};
