import { describe, expect, it } from 'vitest';
import { mergedPage, type ReadRun } from '../../../lambdas/domain/foundation/merged-page.ts';
import type { Page, Position } from '../../../lambdas/domain/foundation/page.ts';

const position = (place: number): Position => ({ at: '', id: String(place).padStart(6, '0') });
const placeOf = ({ id }: Position): number => Number(id);

/** A run of places, newest first, of which `wants` passes the filter. */
const run =
  (places: readonly number[], wants: (place: number) => boolean, looked: number[]): ReadRun<number> =>
  async (after, atMost) => {
    const rest = places.toSorted((a, b) => b - a).filter((place) => after === null || place < placeOf(after));
    const read = rest.slice(0, atMost);
    looked.push(read.length);
    const last = read.at(-1);
    const reached = rest.length > read.length && last !== undefined ? position(last) : null;
    return { items: read.filter(wants), looked: read.length, reached };
  };

describe('a merged page', () => {
  it.each([
    [
      'even runs',
      [
        [9, 5, 1],
        [8, 4],
        [7, 3],
        [6, 2],
      ],
      2,
    ],
    ['one long run and empty ones', [[], Array.from({ length: 50 }, (_, index) => index), []], 7],
    [
      'one run newer than the other',
      [
        [1, 2, 3, 4],
        [11, 12, 13, 14],
      ],
      3,
    ],
    [
      'a limit that fits exactly',
      [
        [1, 3],
        [2, 4],
      ],
      4,
    ],
    ['nothing', [[], []], 5],
  ])('shows each exactly once, newest first: %s', async (_, runs, limit) => {
    const seen: number[] = [];
    const sizes: number[] = [];
    for (let after: Position | null = null; ; ) {
      const page: Page<number> = await mergedPage({
        runs: runs.map((places) => run(places, () => true, [])),
        positionOf: position,
        after,
        limit,
        lookAtMost: 1000,
        isFiltered: false,
      });
      seen.push(...page.items);
      sizes.push(page.items.length);
      if (page.next === null) break;
      after = page.next;
    }

    expect(seen).toEqual(runs.flat().toSorted((a, b) => b - a));
    expect(sizes.slice(0, -1).every((size) => size === limit)).toBe(true);
  });

  it('finds the rare ones page by page, and looks at no more than it may', async () => {
    const runs = [0, 1, 2, 3].map((shard) => Array.from({ length: 500 }, (_, index) => index * 4 + shard));
    const rare = (place: number) => place % 333 === 0;
    const seen: number[] = [];
    let pages = 0;
    for (let after: Position | null = null; ; pages++) {
      const looked: number[] = [];
      const page: Page<number> = await mergedPage({
        runs: runs.map((places) => run(places, rare, looked)),
        positionOf: position,
        after,
        limit: 2,
        lookAtMost: 400,
        isFiltered: true,
      });
      seen.push(...page.items);
      expect(looked.reduce((sum, count) => sum + count, 0)).toBeLessThanOrEqual(400);
      if (page.next === null) break;
      after = page.next;
    }

    expect(seen).toEqual([1998, 1665, 1332, 999, 666, 333, 0]);
    expect(pages).toBeGreaterThan(3);
  });

  it('reads on only the run that holds the page back', async () => {
    const looked: number[] = [];
    const old = run([1], () => true, []);
    const runs = [
      run(
        Array.from({ length: 9 }, (_, index) => index + 10),
        () => true,
        looked,
      ),
      old,
    ];

    await mergedPage({ runs, positionOf: position, after: null, limit: 3, lookAtMost: 100, isFiltered: false });

    expect(looked).toEqual([4]);
  });
});
