import { type ErrorCode, type FieldError, PassPostError } from '../domain/foundation/errors.ts';

/** The family of calls that a request belongs to. Each family has its own error format and its own way to send the key. */
export type Surface = 'native' | 'passmint' | 'passcreator';

/** Status and title of each error that a caller can receive; `internal` is a failure of PassPost. */
export const problems: Readonly<Record<ErrorCode | 'internal', readonly [status: number, title: string]>> = {
  malformed: [400, 'Malformed request'],
  invalid: [422, 'Invalid request'],
  unauthorized: [401, 'Unauthorized'],
  forbidden: [403, 'Forbidden'],
  not_found: [404, 'Not found'],
  method_not_allowed: [405, 'Method not allowed'],
  conflict: [409, 'Conflict'],
  too_many_webhooks: [409, 'Too many webhooks'],
  too_many_keys: [409, 'Too many keys'],
  idempotency_in_progress: [409, 'Request still running'],
  idempotency_mismatch: [422, 'Idempotency key reused'],
  too_large: [413, 'Request too large'],
  unsupported_media_type: [415, 'Unsupported media type'],
  rate_limited: [429, 'Too many requests'],
  unavailable: [503, 'Service unavailable'],
  internal: [500, 'Internal error'],
};

interface Problem {
  readonly code: ErrorCode | 'internal';
  readonly status: number;
  readonly detail: string;
  readonly errors: readonly FieldError[];
}

interface Answer {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const json = (problem: Problem, body: unknown, type = 'application/json'): Answer => ({
  statusCode: problem.status,
  headers: { 'content-type': type },
  body: JSON.stringify(body),
});

/** Returns the error type that PassMint's clients know for an HTTP status. */
const passmintType = (status: number): string => {
  if (status === 401) return 'authentication_error';
  if (status === 403) return 'permission_error';
  if (status === 429) return 'rate_limit_error';
  return status >= 500 ? 'api_error' : 'invalid_request_error';
};

const encoders: Readonly<Record<Surface, (problem: Problem) => Answer>> = {
  native: (problem) => {
    const { code, status, detail, errors } = problem;
    const body = { type: `/problems/${code}`, title: problems[code][1], status, detail, errors };
    return json(problem, body, 'application/problem+json');
  },
  passmint: (problem) => {
    const error = {
      type: passmintType(problem.status),
      message: problem.detail,
      param: problem.errors[0]?.path ?? null,
    };
    return json(problem, { error });
  },
  passcreator: (problem) => {
    const status = problem.status === 422 ? 400 : problem.status;
    const [first] = problem.errors;
    return json({ ...problem, status }, { ErrorMessage: first ? `${first.path}: ${first.message}` : problem.detail });
  },
};

/**
 * Matches error names and codes of the AWS SDK for a service that is busy or unreachable. The request itself was fine.
 */
const BUSY =
  /Throttl|ThroughputExceeded|RequestLimit|TransactionInProgress|ServiceUnavailable|InternalServerError|Timeout|ECONN|EPIPE|ENOTFOUND|EAI_AGAIN/;

/** Matches error names and codes of a call whose answer did not arrive, so the service may have carried out the call. */
const UNANSWERED = /Timeout|ECONNRESET|EPIPE/;

const nameAndCode = (error: unknown): string =>
  error instanceof Error ? `${error.name} ${'code' in error ? String(error.code) : ''}` : '';

/** Returns the error to show to the caller, or `null` for a failure of PassPost, which becomes 500 without details. */
export const errorToProblem = (error: unknown): PassPostError | null => {
  if (error instanceof PassPostError) return error;
  const name = nameAndCode(error);
  if (!BUSY.test(name)) return null;
  const detail = UNANSWERED.test(name)
    ? 'A service did not answer. The change may have been made: look first, or repeat with the same Idempotency-Key.'
    : 'Nothing was done. Please try again.';
  return new PassPostError('unavailable', detail, {
    headers: { 'retry-after': '1' },
    cause: error,
  });
};

/**
 * The maximum number of field errors in one error response. Lambda allows 6 MB, and a body of wrong fields could
 * otherwise produce 18 MB.
 */
const MOST_ERRORS = 100;
/** The maximum number of characters of one text in an error response. */
const LONGEST_TEXT = 1000;

const clipped = (text: string): string =>
  text.length <= LONGEST_TEXT ? text : `${text.slice(0, LONGEST_TEXT).toWellFormed()}…`;

/** Returns the response for an error in the format of the surface; `null` is a failure of PassPost. */
export const encodeProblem = (surface: Surface, error: PassPostError | null): Answer => {
  const code = error?.code ?? 'internal';
  const answer = encoders[surface]({
    code,
    status: problems[code][0],
    detail: clipped(error?.message ?? 'Something went wrong on our side.'),
    errors: (error?.errors ?? [])
      .slice(0, MOST_ERRORS)
      .map(({ path, code, message }) => ({ path: clipped(path), code, message: clipped(message) })),
  });
  return { ...answer, headers: { ...answer.headers, ...error?.headers } };
};
