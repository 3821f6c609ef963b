import { contentHash } from '../foundation/content-hash.ts';
import { invalid, PassPostError } from '../foundation/errors.ts';
import { deriveId, drawId } from '../foundation/id.ts';
import { isOwnWrite } from '../foundation/own-write.ts';
import { SECOND_MS } from '../foundation/time.ts';
import { type JobType, jobAtCreation, type NewJob, type StoredJob } from './job.ts';

export interface NewJobs {
  /** Adds the job, or answers what already stands under its id. */
  add(job: StoredJob): Promise<StoredJob | null>;
  /** `isLatest`: as it is now, and not as it was a moment ago. */
  get(owner: string, id: string, options: { isLatest: boolean; nowMs: number }): Promise<StoredJob | null>;
}

export interface JobCreation {
  readonly owner: string;
  readonly body: NewJob;
  readonly idempotencyKey: string | null;
  readonly requestId: string;
  readonly retentionDays: number | undefined;
  readonly traceId?: string | undefined;
  readonly nowMs: number;
}

export interface JobDependencies {
  readonly jobs: NewJobs;
  /** Whether a result of the type would go anywhere. */
  readonly hasWebhook: (owner: string, type: JobType) => Promise<boolean>;
  readonly clock: () => number;
  readonly wait: (ms: number) => Promise<unknown>;
}

/** `isResult`: the job's result, in time for the caller who waited; else the job as it was created. */
export interface JobAnswer {
  readonly job: StoredJob;
  readonly isResult: boolean;
  readonly isRepeat: boolean;
}

/** A call is cut off after 30 s: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html */
const LONGEST_WAIT_MS = 25 * SECOND_MS;
const FIRST_POLL_MS = 100;
const LAST_POLL_MS = SECOND_MS;

const waitEndOf = (job: StoredJob): number => Date.parse(job.created_at) + LONGEST_WAIT_MS;

/** What a caller is answered whose wait is over, then and whenever the request is repeated. */
const answerOf = (job: StoredJob, isRepeat: boolean): JobAnswer => {
  const isInTime = job.completed_at !== null && Date.parse(job.completed_at) <= waitEndOf(job);
  const isResult = job.result_to === 'caller' && isInTime;
  return { job: isResult ? job : jobAtCreation(job), isResult, isRepeat };
};

/** Looks now and then, ever more rarely, until the job is completed or the time is up. */
const awaited = async (job: StoredJob, { jobs, clock, wait }: JobDependencies): Promise<StoredJob> => {
  const endMs = waitEndOf(job);
  for (let pollMs = FIRST_POLL_MS; ; pollMs = Math.min(LAST_POLL_MS, pollMs * 1.5)) {
    const leftMs = endMs - clock();
    if (leftMs <= 0) break;
    await wait(Math.min(pollMs, leftMs));
    const seen = await jobs.get(job.owner, job.id, { isLatest: false, nowMs: clock() });
    if (seen?.completed_at) return seen;
  }
  // Whatever was completed in time is seen here: what is answered is what a repeat will be answered.
  return (await jobs.get(job.owner, job.id, { isLatest: true, nowMs: clock() })) ?? job;
};

const repeated = (present: StoredJob, hash: string, nowMs: number): JobAnswer => {
  if (present.content_hash !== hash) {
    throw new PassPostError('idempotency_mismatch', 'This Idempotency-Key was used for another job.');
  }
  if (present.result_to === 'caller' && present.completed_at === null && nowMs <= waitEndOf(present)) {
    const message = 'The first request under this Idempotency-Key is still waiting for its result.';
    throw new PassPostError('idempotency_in_progress', message, { headers: { 'retry-after': '1' } });
  }
  return answerOf(present, true);
};

/** Hands a job to the account's own worker; without `async`, waits for its result. */
export const createJob = async (creation: JobCreation, dependencies: JobDependencies): Promise<JobAnswer> => {
  const { owner, body, idempotencyKey, requestId, traceId, retentionDays, nowMs } = creation;
  const { jobs, hasWebhook } = dependencies;
  const id = idempotencyKey === null ? drawId('job', nowMs) : deriveId('job', owner, '/jobs', idempotencyKey);
  const hash = contentHash(body);

  const first = idempotencyKey === null ? null : await jobs.get(owner, id, { isLatest: true, nowMs });
  if (first) return repeated(first, hash, nowMs);
  if (body.async && !(await hasWebhook(owner, body.type))) {
    const message = `needs an enabled webhook of the postmen profile that wants ${body.type}`;
    throw invalid('async', 'webhook_required', message);
  }
  const job: StoredJob = {
    id,
    owner,
    type: body.type,
    status: 'pending',
    result_to: body.async ? 'webhooks' : 'caller',
    input: JSON.stringify(body.input),
    meta: null,
    data: null,
    progress: null,
    version: 1,
    created_at: new Date(nowMs).toISOString(),
    completed_at: null,
    content_hash: idempotencyKey === null ? null : hash,
    retention_days: retentionDays,
    written_by: requestId,
    trace_id: traceId,
  };
  const present = await jobs.add(job);
  if (present && !isOwnWrite(present, requestId)) return repeated(present, hash, nowMs);
  return answerOf(body.async ? job : await awaited(job, dependencies), false);
};
