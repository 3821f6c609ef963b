import { PassPostError } from './errors.ts';

/** What an Idempotency-Key was first used for, and what was answered, without its secret. */
export interface FirstAnswer<T> {
  readonly contentHash: string;
  readonly answer: T;
}

/** A request that may be a repeat. */
export interface IdempotentRequest {
  readonly idempotencyKey: string | null;
  readonly contentHash: string;
}

/** An answer; `secret` is null where the request is a repeat, for it was shown once. */
export interface AnswerWithSecret<T> {
  readonly answer: T;
  readonly secret: string | null;
}

const repeatOf = <T>(first: FirstAnswer<T>, contentHash: string): AnswerWithSecret<T> => {
  if (first.contentHash === contentHash) return { answer: first.answer, secret: null };
  throw new PassPostError('idempotency_mismatch', 'This Idempotency-Key was used for another request.');
};

/** Performs what its key was not used for yet, and else gives the first answer again. `repeated`: a twin was faster. */
export const answerOnce = async <T>(
  { idempotencyKey, contentHash }: IdempotentRequest,
  firstAnswer: (idempotencyKey: string) => Promise<FirstAnswer<T> | null>,
  perform: () => Promise<AnswerWithSecret<T> | 'repeated'>,
): Promise<AnswerWithSecret<T>> => {
  const first = idempotencyKey === null ? null : await firstAnswer(idempotencyKey);
  if (first) return repeatOf(first, contentHash);
  const performed = await perform();
  if (performed !== 'repeated') return performed;
  const twin = idempotencyKey === null ? null : await firstAnswer(idempotencyKey);
  if (twin) return repeatOf(twin, contentHash);
  throw new PassPostError('conflict', 'Too many changes at once. Please try again.');
};

/** The same where an answer holds no secret: whoever repeats gets all of it again. */
export const performOnce = async <T extends object>(
  repeatable: IdempotentRequest,
  firstAnswer: (idempotencyKey: string) => Promise<FirstAnswer<T> | null>,
  perform: () => Promise<{ readonly answer: T } | 'repeated'>,
): Promise<{ readonly answer: T; readonly isRepeat: boolean }> => {
  const { answer, secret } = await answerOnce(repeatable, firstAnswer, async () => {
    const performed = await perform();
    return performed === 'repeated' ? performed : { ...performed, secret: '' };
  });
  return { answer, isRepeat: secret === null };
};
