import { describe, expect, it } from 'vitest';
import { createWaitingPlaces } from '../../../lambdas/adapters/jobs/waiting-places.ts';
import type { WaitingPlace } from '../../../lambdas/domain/jobs/waiting-calls.ts';
import { rowsHolding } from '../../helpers/api-caller.ts';
import { useTables } from '../../helpers/tables.ts';

const start = Date.parse('2026-11-16T09:30:00.000Z');

describe('the places of calls that wait for a job', () => {
  const tables = useTables();
  const instance = () => createWaitingPlaces(tables.client, tables.credentialsTable);
  const takeMany = async (accountId: string, count: number, nowMs: number): Promise<WaitingPlace[]> => {
    const places = await Promise.all(Array.from({ length: count }, () => instance().take(accountId, nowMs)));
    return places.filter((place) => place !== null);
  };

  it.each([5, 6, 20, 50])('are taken by exactly five of %i simultaneous calls in as many instances', async (count) => {
    const taken = await takeMany(`acc_${count}`, count, start);

    expect(taken.map(({ index }) => index).toSorted()).toEqual([0, 1, 2, 3, 4]);
  });

  it('are taken by other calls after two of five are given back', async () => {
    const taken = await takeMany('acc_BACK', 5, start);
    for (const place of taken.slice(0, 2)) await instance().giveBack(place);

    expect(await takeMany('acc_BACK', 10, start + 1)).toHaveLength(2);
  });

  it('are free 30 s after calls of killed functions took them, and a late giveBack of such a call frees no place of another call', async () => {
    const killed = await takeMany('acc_KILLED', 5, start);
    expect(await instance().take('acc_KILLED', start + 29_999)).toBeNull();

    const taken = await takeMany('acc_KILLED', 6, start + 30_000);
    for (const place of killed) await instance().giveBack(place);

    expect(taken).toHaveLength(5);
    expect(await instance().take('acc_KILLED', start + 30_001)).toBeNull();
  });

  it('of one account do not depend on those of another, and their row expires a day after the last call', async () => {
    await takeMany('acc_BUSY', 5, start);

    expect(await instance().take('acc_QUIET', start)).not.toBeNull();
    expect(await rowsHolding(tables, tables.credentialsTable, 'acc_BUSY')).toEqual([
      expect.objectContaining({ sk: 'waiting', kind: 'waiting-places', ttl: start / 1000 + 86_400 }),
    ]);
  });
});
