import * as z from 'zod';
import { pageQuery, pageSchema } from '../domain/foundation/page.ts';
import { type Job, jobResultSchema, jobSchema, jobStatuses, newJobSchema } from '../domain/jobs/job.ts';
import type { Operation } from '../runtime/operation.ts';

const path = '/api/public/v1/jobs';
const tag = 'jobs';

const result = {
  meta: { code: 200, message: 'OK', details: [], retryable: false },
  data: { id: '7f6b2a54-3b12-4376-bc3d-1d2c3b4a5968', status: 'calculated', rates: [] },
};
const pending: Job = {
  id: 'job_01KA8Z3M9Q4T7V2X5B8D1F6H0J',
  type: 'calculate_rates',
  status: 'pending',
  input: { shipper_accounts: ['fedex'] },
  meta: null,
  data: null,
  progress: null,
  created_at: '2026-11-16T09:30:00.000Z',
  completed_at: null,
};
const completed: Job = { ...pending, status: 'completed', ...result, completed_at: '2026-11-16T09:30:04.000Z' };

export const createJob = {
  id: 'createJob',
  method: 'POST',
  path,
  tag,
  summary: "Hand a job to the account's own worker",
  description:
    'Waits up to 25 s for the result and answers 200 with it, else 202 with the job, whose result is then read. With `async`, in the body or as `?async=true`, answers 202 at once, and the result goes out as the event of that type; that needs an enabled webhook of the `postmen` profile that wants it.',
  scope: 'jobs:write',
  query: z.strictObject({ async: z.enum(['true', 'false']).optional() }),
  body: newJobSchema,
  isIdempotent: true,
  responses: { 200: z.object(jobResultSchema.shape), 202: jobSchema },
  errors: [409],
  example: { type: 'calculate_rates', input: pending.input, async: false },
  exampleAnswer: result,
} as const satisfies Operation;

export const completeJob = {
  id: 'completeJob',
  method: 'POST',
  path: `${path}/{id}/complete`,
  idPrefix: 'job',
  tag,
  summary: 'Give the result of a job',
  description: 'Once: a job that is completed stays as it is. `meta.retryable` speaks of the job, not of webhooks.',
  scope: 'jobs:write',
  body: jobResultSchema,
  responses: { 200: jobSchema },
  errors: [409],
  example: result,
  exampleAnswer: completed,
} as const satisfies Operation;

export const listJobs = {
  id: 'listJobs',
  method: 'GET',
  path,
  tag,
  summary: 'List jobs, newest first',
  scope: 'jobs:read',
  query: z.strictObject({ status: z.enum(jobStatuses).optional(), ...pageQuery('job') }),
  responses: { 200: pageSchema(jobSchema) },
  exampleAnswer: { data: [pending], next_cursor: null },
} as const satisfies Operation;

export const getJob = {
  id: 'getJob',
  method: 'GET',
  path: `${path}/{id}`,
  idPrefix: 'job',
  tag,
  summary: 'Read a job',
  scope: 'jobs:read',
  responses: { 200: jobSchema },
  exampleAnswer: completed,
} as const satisfies Operation;
