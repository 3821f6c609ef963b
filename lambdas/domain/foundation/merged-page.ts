import type { Page, Position } from './page.ts';

/** Some of a run, newest first. `reached`: where reading stopped; `null` where the run has ended. */
export interface RangePage<T> {
  readonly items: readonly T[];
  readonly examined: number;
  readonly reached: Position | null;
}

/** One of several ordered ranges that make up a list: reads on after a position. `atMost` bounds what is examined at, not what is found. */
export type ReadRange<T> = (after: Position | null, atMost: number) => Promise<RangePage<T>>;

export interface MergedPageRequest<T> {
  readonly ranges: readonly ReadRange<T>[];
  readonly positionOf: (item: T) => Position;
  readonly after: Position | null;
  readonly limit: number;
  /** A filter without an index would otherwise read on for ever. */
  readonly examineAtMost: number;
  readonly isFiltered: boolean;
}

const isNewer = (a: Position, b: Position): boolean => (a.at === b.at ? a.id > b.id : a.at > b.at);
const byNewest = (a: Position, b: Position): number => (isNewer(a, b) ? -1 : isNewer(b, a) ? 1 : 0);

/**
 * The next page of a list that is spread over ranges. What is newer than every run has been read down to is complete; a
 * run is read on only while it holds the page back. A page may be short where much was examined at and little found.
 */
export const mergedPage = async <T>(request: MergedPageRequest<T>): Promise<Page<T>> => {
  const { positionOf, after, limit, isFiltered } = request;
  const ranges = request.ranges.map((read) => ({ read, reached: after, hasEnded: false }));
  const found: T[] = [];
  let left = request.examineAtMost;
  for (;;) {
    found.sort((a, b) => byNewest(positionOf(a), positionOf(b)));
    // One more than the page holds, to know whether there is a next one.
    const beyond = found[limit];
    const open = ranges.filter(({ hasEnded, reached }) => {
      if (hasEnded) return false;
      return !beyond || !reached || isNewer(reached, positionOf(beyond));
    });
    if (open.length === 0) break;
    const share = Math.floor(left / open.length);
    if (share === 0) break;
    const atMost = isFiltered ? Math.min(share, 250) : Math.min(share, limit + 1);
    await Promise.all(
      open.map(async (run) => {
        const piece = await run.read(run.reached, atMost);
        found.push(...piece.items);
        left -= piece.examined;
        run.reached = piece.reached;
        run.hasEnded = piece.reached === null;
      }),
    );
  }
  // Whatever lies beyond the newest place at which an open run stopped may still have gaps.
  const frontier = ranges
    .flatMap(({ hasEnded, reached }) => (hasEnded || !reached ? [] : [reached]))
    .toSorted(byNewest)[0];
  const complete = frontier ? found.filter((item) => !isNewer(frontier, positionOf(item))) : found;
  const items = complete.slice(0, limit);
  const last = items.at(-1);
  if (items.length === limit && last && (complete.length > limit || frontier)) return { items, next: positionOf(last) };
  return { items, next: frontier ?? null };
};
