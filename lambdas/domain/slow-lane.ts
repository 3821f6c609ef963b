/** A webhook whose answer takes longer is served from the slow lane, until it answers quicker again. */
export const SLOW_AFTER_MS = 500;

/** How long a quick answer lets a webhook have all of a batch's requests at once. */
const TRUST_MS = 30_000;
const MOST_REMEMBERED = 10_000;

/** What one function instance has seen of webhooks' answers; a fresh one knows nothing and asks carefully. */
export interface LaneMemory {
  isQuick(webhookId: string, nowMs: number): boolean;
  noteQuick(webhookId: string, nowMs: number): void;
  noteSlow(webhookId: string): void;
}

export const createLaneMemory = (): LaneMemory => {
  const quickAt = new Map<string, number>();
  return {
    isQuick: (webhookId, nowMs) => nowMs - (quickAt.get(webhookId) ?? Number.NEGATIVE_INFINITY) < TRUST_MS,
    noteQuick(webhookId, nowMs) {
      if (quickAt.size >= MOST_REMEMBERED) quickAt.clear();
      quickAt.set(webhookId, nowMs);
    },
    noteSlow(webhookId) {
      quickAt.delete(webhookId);
    },
  };
};

/** Whether something is done within that time. The timer does not outlive the answer. */
export const isDoneWithin = async (work: Promise<unknown>, ms: number): Promise<boolean> => {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), ms);
  });
  try {
    return await Promise.race([work.then(() => true), late]);
  } finally {
    clearTimeout(timer);
  }
};

/** What became of a group's requests: all started, or the rest left for the slow lane. */
export interface GroupOutcome<T> {
  readonly wasSlow: boolean;
  readonly left: readonly T[];
}

/**
 * Starts one webhook's requests of a batch. A webhook that is not known to be quick is asked twice first; the others
 * follow when both were answered in time, and are left for the slow lane when they were not: a batch's invocation is
 * a scarce thing, and a receiver that stalls must not get them all. `onSlow` is called while the stalled ones still run.
 */
export const startGroup = async <T>(
  group: readonly T[],
  options: { readonly isTrusted: boolean; readonly slowAfterMs: number; readonly onSlow: () => Promise<void> },
  start: (item: T) => Promise<void>,
): Promise<GroupOutcome<T>> => {
  const first = options.isTrusted ? group : group.slice(0, 2);
  const rest = options.isTrusted ? [] : group.slice(2);
  const asked = Promise.all(first.map(start));
  if (await isDoneWithin(asked, options.slowAfterMs)) {
    return rest.length === 0 ? { wasSlow: false, left: [] } : startGroup(rest, { ...options, isTrusted: true }, start);
  }
  await options.onSlow();
  await asked;
  return { wasSlow: true, left: rest };
};
