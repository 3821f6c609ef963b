import type { Command } from '../deliveries/command.ts';
import type { StoredEvent } from '../events/event.ts';
import type { Actor, StoredAuditEntry } from '../foundation/audit.ts';
import { PassPostError } from '../foundation/errors.ts';
import { type FirstAnswer, type IdempotentRequest, performOnce } from '../foundation/idempotency.ts';
import type { StoredJob } from '../jobs/job.ts';

/** What is left behind under a request's Idempotency-Key, for whoever repeats it. */
export interface LeftAnswer extends FirstAnswer<object> {
  readonly path: string;
  readonly idempotencyKey: string;
}

/** What the fan-out finds, and the audit entry of its asking: rows that are put there together. */
export interface Submission {
  readonly entry: StoredAuditEntry;
  readonly command?: Command;
  readonly event?: StoredEvent;
  readonly job?: StoredJob;
}

export interface SubmitStore {
  firstAnswer(owner: string, path: string, idempotencyKey: string, nowMs: number): Promise<FirstAnswer<object> | null>;
  /** Puts what is asked for and the first answer of its request's key together, or nothing. `taken`: it was asked for already. */
  submit(
    owner: string,
    submission: Submission,
    left: LeftAnswer | null,
    nowMs: number,
  ): Promise<'submitted' | 'repeated' | 'taken'>;
}

export interface SubmitRequest extends IdempotentRequest {
  readonly owner: string;
  /** Below the API's base; an Idempotency-Key counts within it. */
  readonly path: string;
  readonly by: Actor;
  readonly requestId: string;
  readonly traceId?: string | undefined;
  readonly nowMs: number;
}

/** What is asked for, with the request that asks: whoever carries it out can tell. */
const calledBy = ({ command, event, ...rest }: Submission, { requestId, traceId }: SubmitRequest): Submission => {
  const call = { request_id: requestId, trace_id: traceId };
  return { ...rest, ...(command && { command: { ...command, call } }), ...(event && { event: { ...event, call } }) };
};

/** Asks the fan-out for something, once: `prepare` checks that it may be asked for and says how it is answered. */
export const submitOnce = <T extends object>(
  request: SubmitRequest,
  store: SubmitStore,
  prepare: () => Promise<{ readonly submission: Submission | null; readonly answer: T }>,
): Promise<{ readonly answer: T; readonly isRepeat: boolean }> => {
  const { owner, path, idempotencyKey, contentHash, nowMs } = request;
  const firstAnswer = (key: string) => store.firstAnswer(owner, path, key, nowMs) as Promise<FirstAnswer<T> | null>;

  return performOnce(request, firstAnswer, async () => {
    const { submission, answer } = await prepare();
    if (submission === null) return { answer };
    const left = idempotencyKey === null ? null : { path, idempotencyKey, contentHash, answer };
    const outcome = await store.submit(owner, calledBy(submission, request), left, nowMs);
    if (outcome === 'submitted') return { answer };
    if (outcome === 'repeated' || idempotencyKey !== null) return 'repeated';
    throw new PassPostError('conflict', 'This was asked for already and is about to be done.');
  });
};
