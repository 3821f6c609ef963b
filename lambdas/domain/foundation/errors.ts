/**
 * One wrong field of a request: `path` is dotted (`pickup.city`), `code` is machine-readable, `message` is for people.
 */
export interface FieldError {
  readonly path: string;
  readonly code: string;
  readonly message: string;
}

export type ErrorCode =
  | 'malformed' // the body is not JSON, or not UTF-8
  | 'invalid' // a field is wrong; `errors` names each
  | 'unauthorized' // no API key, or an unknown, expired or revoked one
  | 'forbidden' // the key is valid but lacks the scope or mode
  | 'not_found' // the resource does not exist, or belongs to another account
  | 'method_not_allowed'
  | 'conflict' // the current state forbids the change
  | 'too_many_webhooks' // the account has the most webhooks with this URL
  | 'too_many_keys' // the account has the most API keys
  | 'idempotency_in_progress' // the first request with this Idempotency-Key is still running
  | 'idempotency_mismatch' // this Idempotency-Key was used for another request
  | 'too_large'
  | 'unsupported_media_type'
  | 'rate_limited'
  | 'unavailable'; // our failure: throttled or unreachable; nothing was changed

/** An error that the API caller can act on. Every other thrown error is our own failure. */
export class PassPostError extends Error {
  readonly code: ErrorCode;
  readonly errors: readonly FieldError[];
  /** Headers of the error response, e.g. `retry-after`. */
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    code: ErrorCode,
    message: string,
    options: {
      errors?: readonly FieldError[];
      headers?: Readonly<Record<string, string>>;
      cause?: unknown;
    } = {},
  ) {
    super(message, { cause: options.cause });
    this.name = 'PassPostError';
    this.code = code;
    this.errors = options.errors ?? [];
    this.headers = options.headers ?? {};
  }
}

/** Returns the paths of errors as one text, each path once; more than five are counted. */
export const namesOf = (errors: readonly FieldError[]): string => {
  const names = [...new Set(errors.map(({ path }) => path || 'the body'))];
  return names.length > 5 ? `${names.slice(0, 5).join(', ')} and ${names.length - 5} more` : names.join(', ');
};

/** Throws `invalid` with every fault of a request. Does nothing if there is no fault. */
export const refuseFaults = (errors: readonly FieldError[]): void => {
  if (errors.length > 0) throw new PassPostError('invalid', `Wrong: ${namesOf(errors)}.`, { errors });
};

/** Creates the error that reports one wrong field of a request. */
export const invalid = (path: string, code: string, message: string): PassPostError =>
  new PassPostError('invalid', message, { errors: [{ path, code, message }] });

/** Creates the 404 error that names the kind of thing, e.g. `webhook`. */
export const notFound = (kind: string): PassPostError => new PassPostError('not_found', `No such ${kind}.`);
