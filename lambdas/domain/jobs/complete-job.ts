import type { Actor } from '../foundation/audit.ts';
import { notFound, PassPostError } from '../foundation/errors.ts';
import { type IdempotentRequest, isRepeatOf, markOf } from '../foundation/idempotency.ts';
import { isOwnWrite } from '../foundation/own-write.ts';
import { type JobResult, RECOVER, type StoredJob } from './job.ts';

export interface CompletingJobs {
  /** Returns the job, also a deleted one, or null if it does not exist. */
  get(owner: string, id: string, options: { isLatest: boolean; nowMs: number }): Promise<StoredJob | null>;
  /** Replaces the stored job if it still has `version`, and returns `null`; otherwise returns the stored job. */
  replace(job: StoredJob, version: number): Promise<StoredJob | null>;
}

export interface Completion extends IdempotentRequest {
  readonly owner: string;
  readonly id: string;
  readonly result: JobResult;
  readonly by: Actor;
  readonly requestId: string;
  readonly traceId?: string | undefined;
  readonly nowMs: number;
}

/**
 * Completes a job with its result, once, and returns it. A repeat under the same Idempotency-Key gets the same job.
 * Throws `conflict` if the job is completed already or is a recovery, `not_found` if the job does not exist.
 */
export const completeJob = async (
  completion: Completion,
  jobs: CompletingJobs,
): Promise<{ readonly job: StoredJob; readonly isRepeat: boolean }> => {
  const { owner, id, result, by, requestId, traceId, nowMs } = completion;
  for (let present = await jobs.get(owner, id, { isLatest: true, nowMs }); present !== null; ) {
    if (present.deleted_at !== undefined) break;
    if (isRepeatOf(present.completed_by_key, completion)) return { job: present, isRepeat: true };
    if (present.completed_at !== null) {
      const message = 'The job is completed already. Its result cannot be changed.';
      throw new PassPostError('conflict', message, { errors: [{ path: 'status', code: 'completed', message }] });
    }
    if (present.type === RECOVER) throw new PassPostError('conflict', 'A recovery completes by itself.');
    const next: StoredJob = {
      ...present,
      status: 'completed',
      meta: JSON.stringify(result.meta),
      data: JSON.stringify(result.data),
      version: present.version + 1,
      // The clocks of two machines differ: the time of completion is never before the creation.
      completed_at: new Date(Math.max(nowMs, Date.parse(present.created_at))).toISOString(),
      completed_by: by.keyId,
      completed_by_key: markOf(completion),
      written_by: requestId,
      trace_id: traceId,
    };
    const stored = await jobs.replace(next, present.version);
    if (stored === null || (isOwnWrite(stored, requestId) && stored.version === next.version))
      return { job: next, isRepeat: false };
    present = stored;
  }
  throw notFound('job');
};
