import * as z from 'zod';
import type { ErrorCode, FieldError } from '../domain/foundation/errors.ts';
import { problems } from '../runtime/problem.ts';

/** The body of every error response: a problem by RFC 9457 that names every wrong field. */
export const problemSchema = z
  .object({
    type: z.string().meta({ description: 'Identifies the kind of problem: `/problems/<code>`. Stable.' }),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    errors: z.array(
      z.object({
        path: z.string().meta({ description: 'The field, dotted, such as `pickup.city`; empty for the whole body.' }),
        code: z.string(),
        message: z.string(),
      }),
    ),
  })
  .meta({ id: 'Problem', description: 'An error (RFC 9457).' });
export type Problem = z.infer<typeof problemSchema>;

type Code = ErrorCode | 'internal';

const missing: FieldError = { path: 'pickup.city', code: 'required', message: 'Required.' };

/** An example detail, with its field errors, of each problem that a call can answer, by the problem's code. */
const details: Readonly<Record<Code, readonly [detail: string, ...errors: FieldError[]]>> = {
  malformed: ['The body is not JSON.'],
  invalid: ['Wrong: pickup.city.', missing],
  unauthorized: ['The Authorization header must hold a valid API key.'],
  forbidden: ['This key lacks the scope tasks:write.'],
  not_found: ['No such task.'],
  method_not_allowed: ['This path accepts GET, POST.'],
  conflict: [
    'A task that is completed cannot become cancelled.',
    { path: 'status', code: 'illegal_move', message: 'A task that is completed cannot become cancelled.' },
  ],
  too_many_webhooks: [
    'An account has at most 10 webhooks with one URL in each mode.',
    {
      path: 'url',
      code: 'too_many_webhooks',
      message: 'An account has at most 10 webhooks with one URL in each mode.',
    },
  ],
  too_many_keys: [
    'An account has at most 100 API keys that are not expired. Revoke a key first.',
    {
      path: '',
      code: 'too_many_keys',
      message: 'An account has at most 100 API keys that are not expired. Revoke a key first.',
    },
  ],
  idempotency_in_progress: ['The first request under this Idempotency-Key is still running.'],
  idempotency_mismatch: ['This Idempotency-Key was used for another task.'],
  too_large: ['The body is larger than 262144 bytes.'],
  unsupported_media_type: ['The body must be application/json in UTF-8.'],
  rate_limited: ['This key allows 120 requests a minute.'],
  unavailable: ['Nothing was done. Please try again.'],
  internal: ['Something went wrong on our side.'],
};

export const problemCodes = Object.keys(details) as readonly Code[];

export const problemExample = (code: Code): Problem => {
  const [status, title] = problems[code];
  const [detail, ...errors] = details[code];
  return { type: `/problems/${code}`, title, status, detail, errors };
};
