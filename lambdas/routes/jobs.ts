import * as operations from '../contract/jobs.ts';
import { invalid, notFound } from '../domain/foundation/errors.ts';
import { type Page, type Position, pageToBody } from '../domain/foundation/page.ts';
import { type CompletingJobs, completeJob } from '../domain/jobs/complete-job.ts';
import { createJob, type JobDependencies, type NewJobs } from '../domain/jobs/create-job.ts';
import { type DeletingJobs, deleteJob } from '../domain/jobs/delete-job.ts';
import { type JobStatus, type StoredJob, showJob, showResult } from '../domain/jobs/job.ts';
import { type Route, replayHeaders, route } from '../runtime/operation.ts';

export interface Jobs extends NewJobs, CompletingJobs, DeletingJobs {
  list(
    owner: string,
    status: JobStatus | undefined,
    page: { readonly limit: number; readonly after: Position | null; readonly nowMs: number },
  ): Promise<Page<StoredJob>>;
}

/** Returns the routes of the calls about jobs. */
export const jobRoutes = (jobs: Jobs, waiting: Omit<JobDependencies, 'jobs'>): Route[] => [
  route(operations.createJob, async (request) => {
    const body = { ...request.body, async: request.body.async || request.query.async === 'true' };
    const { job, isResult, isRepeat } = await createJob({ ...request, body }, { jobs, ...waiting });
    const headers = { location: `${operations.createJob.path}/${job.id}`, ...replayHeaders(isRepeat) };
    return { status: isResult ? 200 : 202, body: isResult ? showResult(job) : showJob(job), headers };
  }),

  route(operations.completeJob, async (request) => {
    const { job, isRepeat } = await completeJob({ ...request, result: request.body }, jobs);
    return { status: 200, body: showJob(job), headers: replayHeaders(isRepeat) };
  }),

  route(operations.listJobs, async ({ owner, query: { limit, cursor, status }, cursorScope, nowMs }) => {
    // Refuses a cursor without a time. Jobs are listed by time, and a job id that is derived (for example from an
    // Idempotency-Key) contains no time, so the cursor itself must contain the time.
    if (cursor?.at === '') throw invalid('cursor', 'invalid', 'is not a cursor of this list');
    const page = await jobs.list(owner, status, { limit, after: cursor ?? null, nowMs });
    return { status: 200, body: pageToBody(page, showJob, cursorScope) };
  }),

  route(operations.getJob, async ({ owner, id, nowMs }) => {
    const job = await jobs.get(owner, id, { isLatest: true, nowMs });
    if (!job || job.deleted_at !== undefined) throw notFound('job');
    return { status: 200, body: showJob(job) };
  }),

  route(operations.deleteJob, async (request) => {
    await deleteJob(request, jobs);
    return { status: 204 };
  }),
];
