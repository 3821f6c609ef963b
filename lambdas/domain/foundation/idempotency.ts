import { hash } from 'node:crypto';
import * as z from 'zod';
import { PassPostError } from './errors.ts';

/** The first answer to an Idempotency-Key, without its secret, and the hash of the request that got the answer. */
export interface FirstAnswer<T> {
  readonly contentHash: string;
  readonly answer: T;
}

/** The first answer to an Idempotency-Key as it is stored, with the key and the path within which the key counts. */
export interface KeyedAnswer<T> extends FirstAnswer<T> {
  readonly idempotencyKey: string;
  readonly path: string;
}

/** A request that the caller may repeat under the same Idempotency-Key. */
export interface IdempotentRequest {
  readonly idempotencyKey: string | null;
  readonly contentHash: string;
}

/** An answer and its secret. A secret is shown once: it is null if the request is a repeat. */
export interface AnswerWithSecret<T> {
  readonly answer: T;
  readonly secret: string | null;
}

const repeatOf = <T>(first: FirstAnswer<T>, contentHash: string): AnswerWithSecret<T> => {
  if (first.contentHash === contentHash) return { answer: first.answer, secret: null };
  throw new PassPostError('idempotency_mismatch', 'This Idempotency-Key was used for another request.');
};

/**
 * Performs a request unless its Idempotency-Key was used before; a repeat gets the first answer again. `perform`
 * returns 'repeated' if a concurrent request with the same key won. Throws `idempotency_mismatch` if the key was used
 * for another request.
 */
export const answerOnce = async <T>(
  { idempotencyKey, contentHash }: IdempotentRequest,
  firstAnswer: (idempotencyKey: string) => Promise<FirstAnswer<T> | null>,
  perform: () => Promise<AnswerWithSecret<T> | 'repeated'>,
): Promise<AnswerWithSecret<T>> => {
  const first = idempotencyKey === null ? null : await firstAnswer(idempotencyKey);
  if (first) return repeatOf(first, contentHash);
  const performed = await perform();
  if (performed !== 'repeated') return performed;
  const winner = idempotencyKey === null ? null : await firstAnswer(idempotencyKey);
  if (winner) return repeatOf(winner, contentHash);
  throw new PassPostError('conflict', 'Too many changes at the same time. Please try again.');
};

/**
 * Performs a request once per Idempotency-Key, like `answerOnce`, for answers without a secret: a repeat gets the whole
 * answer again.
 */
export const performOnce = async <T extends object>(
  request: IdempotentRequest,
  firstAnswer: (idempotencyKey: string) => Promise<FirstAnswer<T> | null>,
  perform: () => Promise<{ readonly answer: T } | 'repeated'>,
): Promise<{ readonly answer: T; readonly isRepeat: boolean }> => {
  const { answer, secret } = await answerOnce(request, firstAnswer, async () => {
    const performed = await perform();
    return performed === 'repeated' ? performed : { ...performed, secret: '' };
  });
  return { answer, isRepeat: secret === null };
};

/**
 * The request that changed a row under an Idempotency-Key: hashes of the key and of the content. The row itself gives
 * the first answer, so a repeat needs no other row. The hash of the content is erased with the row's personal data.
 */
export const requestMarkSchema = z.object({ key: z.string(), content: z.string().optional() });
export type RequestMark = z.infer<typeof requestMarkSchema>;

/** Returns the mark of a request, in 44 characters; `undefined` for a request without an Idempotency-Key. */
export const markOf = ({ idempotencyKey, contentHash }: IdempotentRequest): Required<RequestMark> | undefined => {
  if (idempotencyKey === null) return undefined;
  return { key: hash('sha256', idempotencyKey, 'base64url').slice(0, 22), content: contentHash.slice(0, 22) };
};

/**
 * Returns whether a request repeats the request that left the mark. Throws `idempotency_mismatch` if the content differs.
 */
export const isRepeatOf = (mark: RequestMark | undefined, request: IdempotentRequest): boolean => {
  const own = markOf(request);
  if (!own || own.key !== mark?.key) return false;
  if (mark.content === undefined || own.content === mark.content) return true;
  throw new PassPostError('idempotency_mismatch', 'This Idempotency-Key was used for another request.');
};
