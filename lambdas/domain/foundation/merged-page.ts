import type { Page, Position } from './page.ts';

/**
 * A page of one range, newest items first. A list consists of one or more such ranges, which `mergedPage` merges by
 * time.
 */
export interface RangePage<T> {
  /** The items of the range that match the filter. */
  readonly items: readonly T[];
  /** How many items of the range were read, including those that the filter dropped. */
  readonly examined: number;
  /** The position of the last item that was read from the range. `null` = the range has ended. */
  readonly reached: Position | null;
}

/**
 * Reads the next page of one of the ordered ranges that form a list, after a position. `atMost` limits the items
 * examined.
 */
export type ReadRange<T> = (after: Position | null, atMost: number) => Promise<RangePage<T>>;

export interface MergedPageRequest<T> {
  readonly ranges: readonly ReadRange<T>[];
  readonly positionOf: (item: T) => Position;
  readonly after: Position | null;
  readonly limit: number;
  /**
   * The maximum number of items examined in all ranges together. A filter without an index would otherwise read
   * without end.
   */
  readonly examineAtMost: number;
  readonly isFiltered: boolean;
}

const isNewer = (a: Position, b: Position): boolean => (a.at === b.at ? a.id > b.id : a.at > b.at);
const byNewest = (a: Position, b: Position): number => (isNewer(a, b) ? -1 : isNewer(b, a) ? 1 : 0);

interface RangeState<T> {
  readonly read: ReadRange<T>;
  reached: Position | null;
  hasEnded: boolean;
}

/**
 * Returns the next page of a list that is spread over several ranges. An item's place in the list is certain once every
 * range was read down to the item. A range is read further only while the page needs it. A page may be short if the
 * filter dropped most items.
 */
export const mergedPage = async <T>(request: MergedPageRequest<T>): Promise<Page<T>> => {
  const { positionOf, after, limit, isFiltered } = request;
  const ranges = request.ranges.map((read): RangeState<T> => ({ read, reached: after, hasEnded: false }));
  const found: T[] = [];
  let left = request.examineAtMost;
  for (;;) {
    found.sort((a, b) => byNewest(positionOf(a), positionOf(b)));
    // The first item beyond the page shows that there is a next page.
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
      open.map(async (range) => {
        const page = await range.read(range.reached, atMost);
        found.push(...page.items);
        left -= page.examined;
        range.reached = page.reached;
        range.hasEnded = page.reached === null;
      }),
    );
  }
  return certainPage(found, ranges, request);
};

/**
 * Returns the page from the sorted items that were read. Leaves out items older than the newest position at which an
 * unfinished range stopped, because other items may belong between them.
 */
const certainPage = <T>(
  found: readonly T[],
  ranges: readonly RangeState<T>[],
  { positionOf, limit }: MergedPageRequest<T>,
): Page<T> => {
  const frontier = ranges
    .flatMap(({ hasEnded, reached }) => (hasEnded || !reached ? [] : [reached]))
    .toSorted(byNewest)[0];
  const complete = frontier ? found.filter((item) => !isNewer(frontier, positionOf(item))) : found;
  const items = complete.slice(0, limit);
  const last = items.at(-1);
  if (items.length === limit && last && (complete.length > limit || frontier)) return { items, next: positionOf(last) };
  return { items, next: frontier ?? null };
};
