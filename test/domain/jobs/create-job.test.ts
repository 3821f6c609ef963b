import { beforeEach, describe, expect, it } from 'vitest';
import { completeJob } from '../../../lambdas/domain/jobs/complete-job.ts';
import { createJob, type JobCreation } from '../../../lambdas/domain/jobs/create-job.ts';
import type { StoredJob } from '../../../lambdas/domain/jobs/job.ts';

const startMs = Date.parse('2026-11-16T09:30:00.000Z');
const result = { meta: { code: 200, message: 'OK', details: [], retryable: false }, data: { rates: [] } };

describe('createJob with async false', () => {
  let nowMs: number;
  let reads: { atMs: number; isLatest: boolean }[];
  let rows: Map<string, StoredJob>;
  let completedAtMs: number;
  beforeEach(() => {
    nowMs = startMs;
    reads = [];
    rows = new Map();
    completedAtMs = Number.POSITIVE_INFINITY;
  });

  const jobs = {
    async add(job: StoredJob) {
      rows.set(job.id, rows.get(job.id) ?? job);
      return null;
    },
    async get(owner: string, id: string, { isLatest }: { isLatest: boolean }) {
      reads.push({ atMs: nowMs - startMs, isLatest });
      const job = rows.get(id);
      if (job && nowMs >= completedAtMs && job.completed_at === null) {
        const request = { requestId: 'worker', idempotencyKey: null, contentHash: '', nowMs: completedAtMs };
        const completion = { owner, id, result, ...request };
        completedAtMs = Number.POSITIVE_INFINITY;
        await completeJob(completion, jobs);
      }
      return rows.get(id) ?? null;
    },
    async replace(job: StoredJob) {
      rows.set(job.id, job);
      return null;
    },
  };
  const create = (over: Partial<JobCreation> = {}) =>
    createJob(
      {
        owner: 'acc_1#live',
        body: { type: 'calculate_rates', input: {}, async: false },
        idempotencyKey: null,
        requestId: 'req_1',
        retentionDays: undefined,
        nowMs,
        ...over,
      },
      {
        jobs,
        hasWebhook: async () => true,
        clock: () => nowMs,
        wait: async (ms) => {
          nowMs += ms;
        },
      },
    );

  it('reads a job first after 100 ms, then at most 1 s apart, and returns the job as pending after 25 s', async () => {
    const { isResult, job } = await create();

    const gaps = reads.slice(1, -1).map(({ atMs }, i) => atMs - (reads[i]?.atMs ?? 0));
    expect(isResult).toBe(false);
    expect(job.status).toBe('pending');
    expect(nowMs - startMs).toBe(25_000);
    expect(reads[0]?.atMs).toBe(100);
    expect(gaps.every((gap) => gap <= 1000)).toBe(true);
    expect(reads.length).toBeLessThan(35);
    expect(reads.at(-1)).toEqual({ atMs: 25_000, isLatest: true });
  });

  it('returns the result of a job that is completed after 3 s, at most 1 s later', async () => {
    completedAtMs = startMs + 3000;

    const { isResult, job } = await create();

    expect(isResult).toBe(true);
    expect(JSON.parse(job.data ?? '')).toEqual(result.data);
    expect(nowMs - startMs).toBeLessThanOrEqual(4000);
  });

  it('returns to a repeat what the first call returned, a pending job or a result, with isRepeat true', async () => {
    const idempotencyKey = 'k1';
    const early = await create({ idempotencyKey });
    completedAtMs = nowMs + 1;
    nowMs += 10;

    const late = await create({ idempotencyKey });
    completedAtMs = nowMs + 24_000;
    const inTime = await create({ idempotencyKey: 'k2' });
    nowMs += 60_000;
    const again = await create({ idempotencyKey: 'k2' });

    expect(late).toEqual({ ...early, isRepeat: true, job: { ...early.job, version: 2, written_by: 'worker' } });
    expect(again).toEqual({ ...inTime, isRepeat: true });
  });

  it('throws idempotency_in_progress for a repeat 24.999 s after the creation of the job', async () => {
    const creation = { idempotencyKey: 'k1', nowMs: startMs };
    await create(creation);
    nowMs = startMs + 24_999;

    await expect(create({ ...creation, nowMs })).rejects.toMatchObject({ code: 'idempotency_in_progress' });
  });
});
