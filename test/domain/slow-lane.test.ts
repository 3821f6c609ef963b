import { describe, expect, it } from 'vitest';
import { createLaneMemory, startGroup } from '../../lambdas/domain/slow-lane.ts';

describe('a webhook’s requests of one batch', () => {
  const options = { isTrusted: false, slowAfterMs: 20, onSlow: async () => undefined };

  it('asks an unknown webhook twice, and all at once when both are answered in time', async () => {
    const started: number[] = [];
    const counts: number[] = [];

    const outcome = await startGroup([1, 2, 3, 4], options, async (item) => {
      started.push(item);
      counts.push(started.length);
      await Promise.resolve();
    });

    expect(outcome).toEqual({ wasSlow: false, left: [] });
    expect(started).toEqual([1, 2, 3, 4]);
  });

  it('leaves the rest when the first two stall, and says so while they still run', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const started: number[] = [];
    const onSlow = async () => resolve();

    const outcome = await startGroup([1, 2, 3, 4], { ...options, onSlow }, async (item) => {
      started.push(item);
      await promise;
    });

    expect(outcome).toEqual({ wasSlow: true, left: [3, 4] });
    expect(started).toEqual([1, 2]);
  });

  it('starts everything for one that is trusted', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const started: number[] = [];

    const outcome = startGroup([1, 2, 3], { ...options, isTrusted: true }, async (item) => {
      started.push(item);
      await promise;
    });

    expect(started).toEqual([1, 2, 3]);
    resolve();
    expect(await outcome).toEqual({ wasSlow: false, left: [] });
  });

  it('trusts a quick answer for half a minute, and a slow one ends it', () => {
    const memory = createLaneMemory();
    memory.noteQuick('whk_1', 1000);
    memory.noteQuick('whk_2', 1000);
    memory.noteSlow('whk_2');

    const trusted = [memory.isQuick('whk_1', 30_999), memory.isQuick('whk_1', 31_000), memory.isQuick('whk_2', 1001)];

    expect(trusted).toEqual([true, false, false]);
  });
});
