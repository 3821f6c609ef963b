import { describe, expect, it } from 'vitest';
import { mergedPage, type ReadRange } from '../../../lambdas/domain/foundation/merged-page.ts';
import type { Page, Position } from '../../../lambdas/domain/foundation/page.ts';

const position = (rank: number): Position => ({ at: '', id: String(rank).padStart(6, '0') });
const rankOf = ({ id }: Position): number => Number(id);

/** A range of ranks, newest (highest) first. `matches` is its filter. */
const range =
  (ranks: readonly number[], matches: (rank: number) => boolean, examined: number[]): ReadRange<number> =>
  async (after, atMost) => {
    const rest = ranks.toSorted((a, b) => b - a).filter((rank) => after === null || rank < rankOf(after));
    const read = rest.slice(0, atMost);
    examined.push(read.length);
    const last = read.at(-1);
    const reached = rest.length > read.length && last !== undefined ? position(last) : null;
    return { items: read.filter(matches), examined: read.length, reached };
  };

describe('mergedPage', () => {
  it.each([
    [
      'four ranges whose items alternate',
      [
        [9, 5, 1],
        [8, 4],
        [7, 3],
        [6, 2],
      ],
      2,
    ],
    ['one range of 50 items and two empty ranges', [[], Array.from({ length: 50 }, (_, index) => index), []], 7],
    [
      'two ranges of which one is newer than the other',
      [
        [1, 2, 3, 4],
        [11, 12, 13, 14],
      ],
      3,
    ],
    [
      'two ranges that together fill one page',
      [
        [1, 3],
        [2, 4],
      ],
      4,
    ],
    ['two empty ranges', [[], []], 5],
  ])(
    'called page by page, returns each item exactly once, newest first, on full pages before the last page: %s',
    async (_, ranges, limit) => {
      const seen: number[] = [];
      const sizes: number[] = [];
      for (let after: Position | null = null; ; ) {
        const page: Page<number> = await mergedPage({
          ranges: ranges.map((ranks) => range(ranks, () => true, [])),
          positionOf: position,
          after,
          limit,
          examineAtMost: 1000,
          isFiltered: false,
        });
        seen.push(...page.items);
        sizes.push(page.items.length);
        if (page.next === null) break;
        after = page.next;
      }

      expect(seen).toEqual(ranges.flat().toSorted((a, b) => b - a));
      expect(sizes.slice(0, -1).every((size) => size === limit)).toBe(true);
    },
  );

  it('with a filter that matches 7 of 2,000 items, finds all 7 on more than 4 pages and examines at most 400 items a page', async () => {
    const ranges = [0, 1, 2, 3].map((shard) => Array.from({ length: 500 }, (_, index) => index * 4 + shard));
    const isRare = (rank: number) => rank % 333 === 0;
    const seen: number[] = [];
    let pages = 0;
    for (let after: Position | null = null; ; pages++) {
      const examined: number[] = [];
      const page: Page<number> = await mergedPage({
        ranges: ranges.map((ranks) => range(ranks, isRare, examined)),
        positionOf: position,
        after,
        limit: 2,
        examineAtMost: 400,
        isFiltered: true,
      });
      seen.push(...page.items);
      expect(examined.reduce((sum, count) => sum + count, 0)).toBeLessThanOrEqual(400);
      if (page.next === null) break;
      after = page.next;
    }

    expect(seen).toEqual([1998, 1665, 1332, 999, 666, 333, 0]);
    expect(pages).toBeGreaterThan(3);
  });

  it('for a page of 3 items, reads the newer of two ranges only once, 4 items of it', async () => {
    const examined: number[] = [];
    const old = range([1], () => true, []);
    const ranges = [
      range(
        Array.from({ length: 9 }, (_, index) => index + 10),
        () => true,
        examined,
      ),
      old,
    ];

    await mergedPage({ ranges, positionOf: position, after: null, limit: 3, examineAtMost: 100, isFiltered: false });

    expect(examined).toEqual([4]);
  });
});
