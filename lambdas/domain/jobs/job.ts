import * as z from 'zod';
import type { StoredEvent } from '../events/event.ts';
import { anyObjectSchema, metaSchema } from '../events/new-event.ts';
import { deriveTimedId } from '../foundation/id.ts';
import { rowVersion } from '../foundation/row-version.ts';

/** Postmen's operations, by the events that tell of their results. */
export const jobTypes = [
  'calculate_rates',
  'create_a_label',
  'cancel_a_label',
  'create_a_bulk_download',
  'manifest_a_label',
] as const;
export type JobType = (typeof jobTypes)[number];

/** The type of the job that shows the progress of a recovery. */
export const RECOVER = 'recover';

/** In life order: a job only ever moves towards the end of this list. */
export const jobStatuses = ['pending', 'running', 'completed', 'failed'] as const;
export type JobStatus = (typeof jobStatuses)[number];

/** A row holds 400 KB: the input, and beside it the result. */
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
      .meta({ description: 'The result goes out to webhooks and is not waited for; `?async=true` says the same.' }),
  })
  .meta({ id: 'NewJob' });
export type NewJob = z.output<typeof newJobSchema>;

/** What a worker finishes a job with: partial failure still has data. */
export const jobResultSchema = z
  .strictObject({ meta: metaSchema, data: anyObjectSchema })
  .refine(({ meta, data }) => bytesOf(meta) + bytesOf(data) <= MOST_RESULT_BYTES, {
    path: ['data'],
    message: `is, with its meta, longer than ${MOST_RESULT_BYTES} bytes when written out`,
  })
  .meta({ id: 'JobResult' });
export type JobResult = z.output<typeof jobResultSchema>;

/** A job as its row holds it. `input`, `meta` and `data` are JSON text, so that what is sent is what was given. */
export const storedJobSchema = z.object({
  v: rowVersion,
  id: z.string(),
  /** `acc_…#live` */
  owner: z.string(),
  type: z.string(),
  status: z.enum(jobStatuses),
  /** Who gets the result: the caller, who waits or asks for it, or the account's webhooks. */
  result_to: z.enum(['caller', 'webhooks']),
  input: z.string(),
  meta: z.string().nullable().default(null),
  data: z.string().nullable().default(null),
  progress: z.object({ done: z.number(), total: z.number() }).nullable().default(null),
  /** Raised by every change. */
  version: z.number(),
  created_at: z.string(),
  completed_at: z.string().nullable().default(null),
  /** Of the request that created it, where that had an Idempotency-Key. */
  content_hash: z.string().nullable().default(null),
  /** The account's own retention, in days, as it was when this was created; absent where it is the stack's. */
  retention_days: z.number().optional(),
  /** The request that wrote it last: a repeated write knows its own success by it. */
  written_by: z.string(),
  /** And the trace it belonged to. */
  trace_id: z.string().optional(),
});
export type StoredJob = z.infer<typeof storedJobSchema>;

export const jobSchema = z
  .object({
    id: z.string(),
    type: z.string(),
    status: z.enum(jobStatuses).meta({ description: 'What a worker must finish is `pending` until it is completed.' }),
    input: z.record(z.string(), z.unknown()),
    meta: z.record(z.string(), z.unknown()).nullable(),
    data: z.record(z.string(), z.unknown()).nullable(),
    progress: z.object({ done: z.number(), total: z.number() }).nullable(),
    created_at: z.iso.datetime(),
    completed_at: z.iso.datetime().nullable(),
  })
  .meta({ id: 'Job' });
export type Job = z.infer<typeof jobSchema>;

const parsed = (text: string | null) => (text === null ? null : JSON.parse(text));

/** What a job came to, as the caller who waited for it gets it. */
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
});

/** The job as it began: nothing changes what it was created from. */
export const jobAtCreation = (job: StoredJob): StoredJob => ({
  ...job,
  status: 'pending',
  meta: null,
  data: null,
  completed_at: null,
});

/** The event of a job's completion, the same one however often it is derived; null where webhooks do not hear of it. */
export const jobEvent = (job: StoredJob): StoredEvent | null => {
  const { id, owner, type, meta, data, completed_at, written_by, trace_id } = job;
  if (job.result_to !== 'webhooks' || completed_at === null || data === null) return null;
  return {
    id: deriveTimedId('evt', Date.parse(completed_at), id, 'completed'),
    owner,
    origin: 'change',
    type,
    resource: null,
    data,
    meta,
    publisher_id: null,
    sequence: null,
    retention_days: job.retention_days,
    created_at: completed_at,
    call: { request_id: written_by, trace_id },
  };
};
