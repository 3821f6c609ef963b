import { contentHash } from '../foundation/content-hash.ts';
import { invalid, PassPostError } from '../foundation/errors.ts';
import { deriveId, drawId } from '../foundation/id.ts';
import { isOwnWrite } from '../foundation/own-write.ts';
import { SECOND_MS } from '../foundation/time.ts';
import { type JobType, jobAtCreation, type NewJob, type StoredJob } from './job.ts';
import type { WaitingPlaces } from './waiting-calls.ts';

export interface NewJobs {
  /** Adds the job. Returns the stored job if the id exists already, otherwise `null`. */
  add(job: StoredJob): Promise<StoredJob | null>;
  /** Returns the job, or null if it does not exist. `isLatest` = read with strong consistency. */
  get(owner: string, id: string, options: { isLatest: boolean; nowMs: number }): Promise<StoredJob | null>;
}

export interface JobCreation {
  readonly accountId: string;
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
  /** Returns whether an enabled webhook of the account wants results of this type. */
  readonly hasWebhook: (owner: string, type: JobType) => Promise<boolean>;
  readonly places: WaitingPlaces;
  readonly clock: () => number;
  readonly wait: (ms: number) => Promise<unknown>;
}

/**
 * The answer to `POST /jobs`. `isResult` = the job was completed while its caller waited. Otherwise `job` is the job as
 * it was created.
 */
export interface JobAnswer {
  readonly job: StoredJob;
  readonly isResult: boolean;
  readonly isRepeat: boolean;
}

/**
 * The longest time that `POST /jobs` waits for the result. API Gateway ends a request after 30 s:
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html
 */
const LONGEST_WAIT_MS = 25 * SECOND_MS;
const FIRST_POLL_MS = 100;
const LAST_POLL_MS = SECOND_MS;

/** Returns whether the call that created the job waits, or has waited, for the result. */
const isAwaited = (job: StoredJob): boolean => job.result_to === 'caller' && job.answered_at_once !== true;

const waitEndOf = (job: StoredJob): number => Date.parse(job.created_at) + LONGEST_WAIT_MS;

/**
 * Milliseconds for which the result of a job that a call waits for must stay readable: the longest pause between two reads
 * of the job, and four seconds for the read and for clocks that differ.
 */
const RESULT_STAYS_MS = LAST_POLL_MS + 4 * SECOND_MS;

/** Returns whether the call that created a completed job may not have read the result yet. */
export const isAnswerDue = (job: StoredJob, nowMs: number): boolean => {
  const completedAtMs = Date.parse(job.completed_at ?? job.created_at);
  return isAwaited(job) && completedAtMs <= waitEndOf(job) && nowMs < completedAtMs + RESULT_STAYS_MS;
};

/** Returns the answer for a job whose caller waits no longer. A repeat of the request gets the same answer. */
const answerOf = (job: StoredJob, isRepeat: boolean): JobAnswer => {
  const isInTime = job.completed_at !== null && Date.parse(job.completed_at) <= waitEndOf(job);
  const isResult = isAwaited(job) && isInTime;
  return { job: isResult ? job : jobAtCreation(job), isResult, isRepeat };
};

/**
 * Polls the job at growing intervals until it is completed or the caller's wait is over. Returns the job as it was read
 * last.
 */
const waitForResult = async (job: StoredJob, { jobs, clock, wait }: JobDependencies): Promise<StoredJob> => {
  const endMs = waitEndOf(job);
  for (let pollMs = FIRST_POLL_MS; ; pollMs = Math.min(LAST_POLL_MS, pollMs * 1.5)) {
    const leftMs = endMs - clock();
    if (leftMs <= 0) break;
    await wait(Math.min(pollMs, leftMs));
    const current = await jobs.get(job.owner, job.id, { isLatest: false, nowMs: clock() });
    if (current?.completed_at) return current;
  }
  // The last read has strong consistency and sees every result that came in time, so a repeat gets the same answer.
  return (await jobs.get(job.owner, job.id, { isLatest: true, nowMs: clock() })) ?? job;
};

const answerRepeat = (present: StoredJob, hash: string, nowMs: number): JobAnswer => {
  if (present.deleted_at !== undefined) {
    throw new PassPostError('conflict', 'The job that this Idempotency-Key created was deleted.');
  }
  if (present.content_hash !== hash) {
    throw new PassPostError('idempotency_mismatch', 'This Idempotency-Key was used for another job.');
  }
  if (isAwaited(present) && present.completed_at === null && nowMs <= waitEndOf(present)) {
    const message = 'The first request under this Idempotency-Key is still waiting for its result.';
    throw new PassPostError('idempotency_in_progress', message, { headers: { 'retry-after': '1' } });
  }
  return answerOf(present, true);
};

/**
 * Creates a job for the account's own worker. Without `async`, waits for the result, unless the maximum number of calls of
 * the account are waiting: then returns the pending job immediately, and the caller reads the result later. Throws
 * `invalid` if `async` is set and no webhook wants the result, `idempotency_mismatch` or `idempotency_in_progress` for a
 * used Idempotency-Key.
 */
export const createJob = async (creation: JobCreation, dependencies: JobDependencies): Promise<JobAnswer> => {
  const { accountId, owner, body, idempotencyKey, requestId, traceId, retentionDays, nowMs } = creation;
  const { jobs, hasWebhook, places } = dependencies;
  const id = idempotencyKey === null ? drawId('job', nowMs) : deriveId('job', owner, '/jobs', idempotencyKey);
  const hash = contentHash(body);

  const first = idempotencyKey === null ? null : await jobs.get(owner, id, { isLatest: true, nowMs });
  if (first) return answerRepeat(first, hash, nowMs);
  if (body.async && !(await hasWebhook(owner, body.type))) {
    const message = `requires an enabled webhook of the postmen profile that wants ${body.type}`;
    throw invalid('async', 'webhook_required', message);
  }
  const place = body.async ? null : await places.take(accountId, nowMs);
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
    answered_at_once: !body.async && place === null ? true : undefined,
    content_hash: idempotencyKey === null ? null : hash,
    retention_days: retentionDays,
    written_by: requestId,
    trace_id: traceId,
  };
  try {
    const present = await jobs.add(job);
    if (present && !isOwnWrite(present, requestId)) return answerRepeat(present, hash, nowMs);
    return answerOf(place === null ? job : await waitForResult(job, dependencies), false);
  } finally {
    // The answer does not depend on this write, because a place that is not given back is free after 30 s.
    if (place !== null) await places.giveBack(place).catch(() => undefined);
  }
};
