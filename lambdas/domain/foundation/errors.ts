/** One wrong field of a request: `path` is dotted (`pickup.city`), `code` is machine-readable, `message` is for people. */
export interface FieldError {
  readonly path: string;
  readonly code: string;
  readonly message: string;
}

export type ErrorCode =
  | 'malformed' // the body is not JSON, or not UTF-8
  | 'invalid' // a field is wrong; `errors` names each
  | 'unauthorized' // no key, or none that lives
  | 'forbidden' // the key lives but may not do this
  | 'not_found' // no such thing, or somebody else's
  | 'method_not_allowed'
  | 'conflict' // the thing's state forbids it
  | 'idempotency_in_progress' // the first request under this key is still running
  | 'idempotency_mismatch' // this key was used for another request
  | 'too_large'
  | 'unsupported_media_type'
  | 'rate_limited'
  | 'unavailable'; // ours: throttled or unreachable; nothing was done

/** An answer the caller can act on. Anything else that is thrown is our own failure. */
export class PassPostError extends Error {
  readonly code: ErrorCode;
  readonly errors: readonly FieldError[];
  /** Response headers that belong to the answer, e.g. `retry-after`. */
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

/** A refusal that names one field. */
export const invalid = (path: string, code: string, message: string): PassPostError =>
  new PassPostError('invalid', message, { errors: [{ path, code, message }] });

export const notFound = (what: string): PassPostError => new PassPostError('not_found', `No such ${what}.`);
