import * as operations from '../contract/jobs.ts';
import { invalid, notFound } from '../domain/foundation/errors.ts';
import { ownerKey } from '../domain/foundation/owner.ts';
import { type Page, type Position, pageToBody } from '../domain/foundation/page.ts';
import { type CompletingJobs, completeJob } from '../domain/jobs/complete-job.ts';
import { createJob, type JobDependencies, type NewJobs } from '../domain/jobs/create-job.ts';
import { type JobStatus, type StoredJob, showJob, showResult } from '../domain/jobs/job.ts';
import { type Route, route } from '../runtime/operation.ts';

export interface Jobs extends NewJobs, CompletingJobs {
  list(
    owner: string,
    status: JobStatus | undefined,
    page: { readonly limit: number; readonly after: Position | null; readonly nowMs: number },
  ): Promise<Page<StoredJob>>;
}

/** The calls about jobs. */
export const jobRoutes = (jobs: Jobs, waiting: Omit<JobDependencies, 'jobs'>): Route[] => [
  route(operations.createJob, async (request) => {
    const body = { ...request.body, async: request.body.async || request.query.async === 'true' };
    const creation = { ...request, owner: ownerKey(request.owner), body };
    const { job, isResult, isRepeat } = await createJob(creation, { jobs, ...waiting });
    const headers = {
      location: `${operations.createJob.path}/${job.id}`,
      ...(isRepeat ? { 'idempotency-replayed': 'true' } : {}),
    };
    return { status: isResult ? 200 : 202, body: isResult ? showResult(job) : showJob(job), headers };
  }),

  route(operations.completeJob, async ({ owner, params, body: result, requestId, traceId, nowMs }) => {
    const completion = { owner: ownerKey(owner), id: params.id ?? '', result, requestId, traceId, nowMs };
    return { status: 200, body: showJob(await completeJob(completion, jobs)) };
  }),

  route(operations.listJobs, async ({ owner, query: { limit, cursor, status }, nowMs }) => {
    // Derived ids do not tell their time, so that the cursor must.
    if (cursor?.at === '') throw invalid('cursor', 'invalid', 'is not a cursor of this list');
    const page = await jobs.list(ownerKey(owner), status, { limit, after: cursor ?? null, nowMs });
    return { status: 200, body: pageToBody(page, showJob) };
  }),

  route(operations.getJob, async ({ owner, params, nowMs }) => {
    const job = await jobs.get(ownerKey(owner), params.id ?? '', { isLatest: true, nowMs });
    if (!job) throw notFound('job');
    return { status: 200, body: showJob(job) };
  }),
];
