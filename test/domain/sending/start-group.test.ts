import { describe, expect, it } from 'vitest';
import { type Starter, startGroup } from '../../../lambdas/domain/sending/start-group.ts';

describe('startGroup, with the requests of one webhook', () => {
  const SLOW_AFTER_MS = 20;
  /** Starts items that are all due now, and lists them. */
  const aStarter = (started: number[], answered: Promise<void>): Starter<number> => ({
    untilDue: () => null,
    start: async (item) => {
      started.push(item);
      await answered;
    },
  });

  it('starts all 4 requests to an untrusted webhook and returns isQuick true if each request is answered immediately', async () => {
    const started: number[] = [];

    const { isQuick } = await startGroup([1, 2, 3, 4], false, SLOW_AFTER_MS, aStarter(started, Promise.resolve()));

    expect(isQuick).toBe(true);
    expect(started).toEqual([1, 2, 3, 4]);
  });

  it('starts 2 of 4 requests to an untrusted webhook that does not answer, and returns the other 2 as notStarted', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const started: number[] = [];

    const group = await startGroup([1, 2, 3, 4], false, SLOW_AFTER_MS, aStarter(started, promise));

    expect(group.isQuick).toBe(false);
    expect(group.notStarted).toEqual([3, 4]);
    expect(started).toEqual([1, 2]);
    expect(group.running).toHaveLength(2);
    resolve();
    await Promise.all(group.running);
  });

  it('starts all 3 requests to a trusted webhook before a request is answered', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const started: number[] = [];

    const group = startGroup([1, 2, 3], true, SLOW_AFTER_MS, aStarter(started, promise));

    expect(started).toEqual([1, 2, 3]);
    resolve();
    expect((await group).isQuick).toBe(true);
  });
});
