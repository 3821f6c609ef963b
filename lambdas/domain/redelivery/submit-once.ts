import type { Command } from '../deliveries/command.ts';
import type { StoredEvent } from '../events/event.ts';
import type { Actor, StoredAuditEntry } from '../foundation/audit.ts';
import { PassPostError } from '../foundation/errors.ts';
import { type FirstAnswer, type IdempotentRequest, type KeyedAnswer, performOnce } from '../foundation/idempotency.ts';
import type { StoredJob } from '../jobs/job.ts';

/**
 * Rows that a request writes in one transaction: its audit entry, a command or an event for the fan-out, and the job
 * that shows a recovery's progress.
 */
export interface Submission {
  readonly entry: StoredAuditEntry;
  readonly command?: Command;
  readonly event?: StoredEvent;
  readonly job?: StoredJob;
}

export interface SubmitStore {
  firstAnswer(owner: string, path: string, idempotencyKey: string, nowMs: number): Promise<FirstAnswer<object> | null>;
  /**
   * Writes the rows of a submission and the first answer of the request's Idempotency-Key, in one transaction. Writes
   * nothing if the key was used meanwhile ('repeated') or if the same command exists already ('taken').
   */
  submit(
    owner: string,
    submission: Submission,
    firstAnswer: KeyedAnswer<object> | null,
    nowMs: number,
  ): Promise<'submitted' | 'repeated' | 'taken'>;
}

export interface SubmitRequest extends IdempotentRequest {
  readonly owner: string;
  /** The path below the API's base. Equal Idempotency-Keys of different paths are different keys. */
  readonly path: string;
  readonly by: Actor;
  readonly requestId: string;
  readonly traceId?: string | undefined;
  readonly nowMs: number;
}

/**
 * Returns a submission whose command and event carry the request's id and trace id, so that log lines about these rows
 * lead back to the request.
 */
const withOrigin = ({ command, event, ...rest }: Submission, { requestId, traceId }: SubmitRequest): Submission => {
  const call = { request_id: requestId, trace_id: traceId };
  return { ...rest, ...(command && { command: { ...command, call } }), ...(event && { event: { ...event, call } }) };
};

/**
 * Submits work to the fan-out, once per Idempotency-Key. `prepare` validates the request and gives the rows to write
 * (`null` = none) and the answer. Throws `conflict` if the same command was submitted before and is not done yet.
 */
export const submitOnce = <T extends object>(
  request: SubmitRequest,
  store: SubmitStore,
  prepare: () => Promise<{
    readonly submission: Submission | null;
    readonly answer: T;
    /** The answer as it is stored for repeats, if it may not be stored as it is. */
    readonly storedAnswer?: T;
  }>,
): Promise<{ readonly answer: T; readonly isRepeat: boolean }> => {
  const { owner, path, idempotencyKey, contentHash, nowMs } = request;
  const firstAnswer = (key: string) => store.firstAnswer(owner, path, key, nowMs) as Promise<FirstAnswer<T> | null>;

  return performOnce(request, firstAnswer, async () => {
    const { submission, answer, storedAnswer = answer } = await prepare();
    if (submission === null) return { answer };
    const keyed = idempotencyKey === null ? null : { path, idempotencyKey, contentHash, answer: storedAnswer };
    const outcome = await store.submit(owner, withOrigin(submission, request), keyed, nowMs);
    if (outcome === 'submitted') return { answer };
    if (outcome === 'repeated' || idempotencyKey !== null) return 'repeated';
    throw new PassPostError('conflict', 'This was requested before and is about to be done.');
  });
};
