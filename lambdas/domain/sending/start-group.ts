import { FIRST_PROBED, isDoneWithin } from './slow-lane.ts';

/** How `startGroup` waits for an item's due time and starts its request. */
export interface Starter<T> {
  /** Resolves when the item is due. `null`: the item is due now. */
  untilDue(item: T): Promise<void> | null;
  /** Starts the item's request and resolves when the request is answered. */
  start(item: T): Promise<void>;
}

export interface StartedGroup<T> {
  /** True if the requests of all items were started and answered in time. */
  readonly isQuick: boolean;
  readonly notStarted: readonly T[];
  /** The started requests of the group that may still be running. If `isQuick` is true, all of them are answered. */
  readonly running: readonly Promise<void>[];
}

/**
 * Starts one webhook's requests of a batch. A webhook that is not trusted to be quick gets `FIRST_PROBED` requests
 * first, and the other requests only if the first were answered within `slowAfterMs`. Returns while slow requests still
 * run, because one slow receiver must not occupy all invocations.
 */
export const startGroup = async <T>(
  group: readonly T[],
  isTrusted: boolean,
  slowAfterMs: number,
  starter: Starter<T>,
): Promise<StartedGroup<T>> => {
  const first = isTrusted ? group : group.slice(0, FIRST_PROBED);
  const rest = group.slice(first.length);
  const probed = await startAll(first, slowAfterMs, starter);
  if (!probed.isQuick) return { ...probed, notStarted: rest };
  if (rest.length === 0) return { ...probed, notStarted: [] };
  return { ...(await startAll(rest, slowAfterMs, starter)), notStarted: [] };
};

/**
 * Starts each item's request when the item is due, and returns whether all requests were answered within `slowAfterMs`.
 * The wait until the due time does not count.
 */
const startAll = async <T>(items: readonly T[], slowAfterMs: number, { untilDue, start }: Starter<T>) => {
  const running: Promise<void>[] = [];
  const inTime = await Promise.all(
    items.map(async (item) => {
      const due = untilDue(item);
      if (due) await due;
      const request = start(item);
      running.push(request);
      return isDoneWithin(request, slowAfterMs);
    }),
  );
  return { isQuick: inTime.every(Boolean), running };
};
