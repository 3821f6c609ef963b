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
  completed_by: null,
};
const completed: Job = {
  ...pending,
  status: 'completed',
  ...result,
  completed_at: '2026-11-16T09:30:04.000Z',
  completed_by: 'key_01KA8Z3M9Q4T7V2X5B8D1F6H0J',
};

export const createJob = {
  id: 'createJob',
  method: 'POST',
  path,
  tag,
  summary: "Create a job for the account's own worker",
  description:
    "Waits up to 25 s. Answers 200 with the result if it arrives in time, otherwise 202 with the job; read the result later. At most 5 calls of an account wait at the same time, live and test together; any other call answers 202 immediately. With `async`, in the body or as `?async=true`, the call answers 202 immediately, and the result is published as an event of the job's type. That requires an enabled webhook of the `postmen` profile that is subscribed to the type.",
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
  summary: 'Complete a job with its result',
  description: 'A completed job cannot be changed. `meta.retryable` refers to the job, not to webhook deliveries.',
  scope: 'jobs:write',
  body: jobResultSchema,
  isIdempotent: true,
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

export const deleteJob = {
  id: 'deleteJob',
  method: 'DELETE',
  path: `${path}/{id}`,
  idPrefix: 'job',
  tag,
  summary: 'Delete a finished job',
  description:
    'Erases the input and the result of a job that is `completed` or `failed`. Answers 409 while a worker still has to finish the job or its caller may still wait for the result. The event that the result became is not changed: `DELETE /events/{id}/payload` erases its payload and the content of the job together. Repeating the call within two days answers 204.',
  scope: 'jobs:write',
  responses: { 204: null },
  errors: [409],
} as const satisfies Operation;
