import { FIRST_PROBED, isDoneWithin } from './slow-lane.ts';

/** How an item is started. */
export interface Starter<T> {
  /** Resolves when the item is due. `null`: the item is due now. */
  untilDue(item: T): Promise<void> | null;
  /** Starts the request and resolves when it is answered. */
  start(item: T): Promise<void>;
}

export interface StartedGroup<T> {
  /** All items were started, and all were answered in time. */
  readonly isQuick: boolean;
  readonly notStarted: readonly T[];
  /** Requests that may still run, if the group was not quick. */
  readonly running: readonly Promise<void>[];
}

/**
 * Starts one webhook's requests of a batch. A webhook that is not trusted to be quick gets `FIRST_PROBED` requests first,
 * and the others only when those were answered within `slowAfterMs`. Returns while slow requests still run, because one
 * slow receiver must not occupy all invocations.
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

/** Starts every item when it is due. The wait until then does not count as slowness. */
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
