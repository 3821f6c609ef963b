import { notFound, PassPostError } from '../foundation/errors.ts';
import { isOwnWrite } from '../foundation/own-write.ts';
import type { JobResult, StoredJob } from './job.ts';
import { RECOVER } from './job.ts';

export interface CompletingJobs {
  get(owner: string, id: string, options: { isLatest: boolean; nowMs: number }): Promise<StoredJob | null>;
  /** Replaces the job if it still has the version, or answers what stands there. */
  replace(job: StoredJob, version: number): Promise<StoredJob | null>;
}

export interface Completion {
  readonly owner: string;
  readonly id: string;
  readonly result: JobResult;
  readonly requestId: string;
  readonly traceId?: string | undefined;
  readonly nowMs: number;
}

/** Completes a job, once: whoever comes later changes nothing. */
export const completeJob = async (
  { owner, id, result, requestId, traceId, nowMs }: Completion,
  jobs: CompletingJobs,
): Promise<StoredJob> => {
  for (let present = await jobs.get(owner, id, { isLatest: true, nowMs }); present !== null; ) {
    if (present.completed_at !== null) {
      const message = 'The job is completed: its result was given before and stays as it is.';
      throw new PassPostError('conflict', message, { errors: [{ path: 'status', code: 'completed', message }] });
    }
    if (present.type === RECOVER) throw new PassPostError('conflict', 'A recovery completes itself.');
    const next: StoredJob = {
      ...present,
      status: 'completed',
      meta: JSON.stringify(result.meta),
      data: JSON.stringify(result.data),
      version: present.version + 1,
      // Never before it began, however the clocks of two machines differ.
      completed_at: new Date(Math.max(nowMs, Date.parse(present.created_at))).toISOString(),
      written_by: requestId,
      trace_id: traceId,
    };
    const stands = await jobs.replace(next, present.version);
    if (stands === null || (isOwnWrite(stands, requestId) && stands.version === next.version)) return next;
    present = stands;
  }
  throw notFound('job');
};
