import * as z from 'zod';
import type { StoredEvent } from '../events/event.ts';
import { anyObjectSchema, metaSchema } from '../events/new-event.ts';
import { deriveTimedId } from '../foundation/id.ts';
import { requestMarkSchema } from '../foundation/idempotency.ts';
import { rowVersion } from '../foundation/row-version.ts';

/** Types of jobs: Postmen's operations. The event of a job's result has the same type. */
export const jobTypes = [
  'calculate_rates',
  'create_a_label',
  'cancel_a_label',
  'create_a_bulk_download',
  'manifest_a_label',
] as const;
export type JobType = (typeof jobTypes)[number];

/** The type of a job that shows the progress of a recovery. */
export const RECOVER = 'recover';

/**
 * The statuses of a job, in the order in which a job takes them. A list reads jobs status by status in this order, so
 * that it misses no job whose status changes meanwhile.
 */
export const jobStatuses = ['pending', 'running', 'completed', 'failed'] as const;
export type JobStatus = (typeof jobStatuses)[number];

/**
 * The maximum number of bytes of a job's input and of its result, as JSON text. One row holds both, and a row holds
 * 400 KB.
 */
const MOST_INPUT_BYTES = 128 * 1024;
const MOST_RESULT_BYTES = 256 * 1024;

const bytesOf = (value: unknown): number => Buffer.byteLength(JSON.stringify(value));

export const newJobSchema = z
  .strictObject({
    type: z.enum(jobTypes),
    input: anyObjectSchema.refine(
      (input) => bytesOf(input) <= MOST_INPUT_BYTES,
      `is longer than ${MOST_INPUT_BYTES} bytes when written out`,
    ),
    async: z
      .boolean()
      .default(false)
      .meta({ description: 'Sends the result to webhooks instead of waiting for it. The same as `?async=true`.' }),
  })
  .meta({ id: 'NewJob' });
export type NewJob = z.output<typeof newJobSchema>;

/** The result with which a worker completes a job. A partial failure has data too. */
export const jobResultSchema = z
  .strictObject({ meta: metaSchema, data: anyObjectSchema })
  .refine(({ meta, data }) => bytesOf(meta) + bytesOf(data) <= MOST_RESULT_BYTES, {
    path: ['data'],
    message: `is, with its meta, longer than ${MOST_RESULT_BYTES} bytes when written out`,
  })
  .meta({ id: 'JobResult' });
export type JobResult = z.output<typeof jobResultSchema>;

/** A job as its row holds it. `input`, `meta` and `data` are JSON text, so that exactly the given text is sent. */
export const storedJobSchema = z.object({
  v: rowVersion,
  id: z.string(),
  /** The account that owns the job, and its mode: `acc_…#live`. */
  owner: z.string(),
  type: z.string(),
  status: z.enum(jobStatuses),
  /** Who gets the job's result: the caller, who waits for it or reads it later, or the account's webhooks. */
  result_to: z.enum(['caller', 'webhooks']),
  input: z.string(),
  meta: z.string().nullable().default(null),
  data: z.string().nullable().default(null),
  progress: z.object({ done: z.number(), total: z.number() }).nullable().default(null),
  /** The version of the row, raised by every change. */
  version: z.number(),
  created_at: z.string(),
  completed_at: z.string().nullable().default(null),
  /** Content hash of the request that created the job; null without an Idempotency-Key. */
  content_hash: z.string().nullable().default(null),
  /** The account's own retention in days when the job was created; absent if the stack's applies. */
  retention_days: z.number().optional(),
  /** True if the call that created the job did not wait for the result, because too many calls of the account waited. */
  answered_at_once: z.boolean().optional(),
  /** When the job's input and result were erased. `input` is the text `null` since then. */
  erased_at: z.string().optional(),
  /** When the job was deleted. Its row stays for two days, so that its Idempotency-Key does not create another job. */
  deleted_at: z.string().optional(),
  /** Id of the API key that completed the job. */
  completed_by: z.string().optional(),
  /** The request that completed the job under an Idempotency-Key. */
  completed_by_key: requestMarkSchema.optional(),
  /** Id of the request that wrote the row last; see `isOwnWrite`. */
  written_by: z.string(),
  /** X-Ray's trace id of the request that wrote the row last. */
  trace_id: z.string().optional(),
});
export type StoredJob = z.infer<typeof storedJobSchema>;

export const jobSchema = z
  .object({
    id: z.string(),
    type: z.string(),
    status: z.enum(jobStatuses).meta({ description: 'A job for a worker is `pending` until it is completed.' }),
    input: z
      .record(z.string(), z.unknown())
      .nullable()
      .meta({ description: 'null once the payload of the event of this job was deleted, as `meta` and `data` are.' }),
    meta: z.record(z.string(), z.unknown()).nullable(),
    data: z.record(z.string(), z.unknown()).nullable(),
    progress: z.object({ done: z.number(), total: z.number() }).nullable(),
    created_at: z.iso.datetime(),
    completed_at: z.iso.datetime().nullable(),
    completed_by: z.string().nullable().meta({
      description: 'The API key that completed the job; null before that, and of a recovery.',
    }),
  })
  .meta({ id: 'Job' });
export type Job = z.infer<typeof jobSchema>;

const parsed = (text: string | null) => (text === null ? null : JSON.parse(text));

/** Returns the result of a job in the form in which the waiting caller gets it. */
export const showResult = ({ meta, data }: StoredJob) => ({ meta: parsed(meta), data: parsed(data) });

export const showJob = (job: StoredJob): Job => ({
  id: job.id,
  type: job.type,
  status: job.status,
  input: JSON.parse(job.input),
  ...showResult(job),
  progress: job.progress,
  created_at: job.created_at,
  completed_at: job.completed_at,
  completed_by: job.completed_by ?? null,
});

/** Returns the job as it was created: pending and without a result. No change affects its input. */
export const jobAtCreation = (job: StoredJob): StoredJob => ({
  ...job,
  status: 'pending',
  meta: null,
  data: null,
  completed_at: null,
  completed_by: undefined,
});

/**
 * Returns the event of a job's completion, or `null` if the result does not go to webhooks. The same job always gives
 * the same event.
 */
export const jobEvent = (job: StoredJob): StoredEvent | null => {
  const { id, owner, type, meta, data, completed_at, written_by, trace_id } = job;
  if (job.result_to !== 'webhooks' || completed_at === null || data === null) return null;
  return {
    id: deriveTimedId('evt', Date.parse(completed_at), id, 'completed'),
    owner,
    customer: null,
    origin: 'change',
    type,
    resource: null,
    data,
    meta,
    publisher_id: null,
    sequence: null,
    retention_days: job.retention_days,
    job_id: id,
    created_at: completed_at,
    call: { request_id: written_by, trace_id },
  };
};
