import { beforeEach, describe, expect, it } from 'vitest';
import { completeJob } from '../../../lambdas/domain/jobs/complete-job.ts';
import { createJob, type JobCreation } from '../../../lambdas/domain/jobs/create-job.ts';
import type { StoredJob } from '../../../lambdas/domain/jobs/job.ts';
import { MAX_WAITING_CALLS } from '../../../lambdas/domain/jobs/waiting-calls.ts';

const startMs = Date.parse('2026-11-16T09:30:00.000Z');
const result = { meta: { code: 200, message: 'OK', details: [], retryable: false }, data: { rates: [] } };

describe('createJob with async false', () => {
  let nowMs: number;
  let reads: { atMs: number; isLatest: boolean }[];
  let rows: Map<string, StoredJob>;
  let completedAtMs: number;
  let taken: number;
  let isTableBusy: boolean;
  beforeEach(() => {
    nowMs = startMs;
    reads = [];
    rows = new Map();
    taken = 0;
    isTableBusy = false;
    completedAtMs = Number.POSITIVE_INFINITY;
  });

  const jobs = {
    async add(job: StoredJob) {
      if (job.owner === '') throw new Error('broken');
      rows.set(job.id, rows.get(job.id) ?? job);
      return null;
    },
    async get(owner: string, id: string, { isLatest }: { isLatest: boolean }) {
      reads.push({ atMs: nowMs - startMs, isLatest });
      const job = rows.get(id);
      if (job && nowMs >= completedAtMs && job.completed_at === null) {
        const request = { requestId: 'worker', idempotencyKey: null, contentHash: '', nowMs: completedAtMs };
        const by = { accountId: '', keyId: 'key_1', ip: '' };
        const completion = { owner, id, result, by, ...request };
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
  const places = {
    async take(accountId: string) {
      if (taken === MAX_WAITING_CALLS) return null;
      taken += 1;
      return { accountId, index: 0, endMs: 0 };
    },
    async giveBack() {
      taken -= 1;
      if (isTableBusy) throw new Error('busy');
    },
  };
  const create = (over: Partial<JobCreation> = {}) =>
    createJob(
      {
        accountId: 'acc_1',
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
        places,
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

  it('gives its place back after the wait, after a repeat and after a failed write, and returns the job also when this fails', async () => {
    await create({ idempotencyKey: 'k1', nowMs: startMs });
    expect(taken).toBe(0);
    await expect(create({ idempotencyKey: 'k1', nowMs: startMs + 25_001 })).resolves.toMatchObject({ isRepeat: true });
    expect(taken).toBe(0);
    await expect(create({ owner: '' })).rejects.toThrow('broken');
    expect(taken).toBe(0);
    isTableBusy = true;
    await expect(create()).resolves.toMatchObject({ isResult: false });
  });

  it('returns a pending job immediately when all places are taken, and the same to a repeat before and after the job is completed', async () => {
    taken = MAX_WAITING_CALLS;
    const idempotencyKey = 'k1';

    const first = await create({ idempotencyKey });
    const during = await create({ idempotencyKey });
    completedAtMs = nowMs;
    const after = await create({ idempotencyKey });

    expect(nowMs).toBe(startMs);
    expect(first).toMatchObject({ isResult: false, isRepeat: false, job: { status: 'pending', result_to: 'caller' } });
    expect(during).toEqual({ ...first, isRepeat: true });
    expect(rows.get(first.job.id)?.status).toBe('completed');
    expect(after).toMatchObject({ isResult: false, isRepeat: true, job: { status: 'pending', data: null } });
    expect(taken).toBe(MAX_WAITING_CALLS);
  });
});
