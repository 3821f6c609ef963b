/** A webhook whose answer takes longer is served from the slow lane, until it answers quicker again. */
export const SLOW_AFTER_MS = 500;

/** How long a quick answer lets a webhook have all of a batch's requests at once. */
export const TRUST_MS = 30_000;
/** How long asking an unknown webhook first is one instance's alone; it says itself what came of it, if it lives. */
export const PROBE_MS = 2000;
/** When the others look what came of it, after it began: a quick answer is said soon, and nobody waits for a slow one. */
const LOOKS_AT_MS = [20, 60, 120, 200];
/** So many requests an unknown webhook gets before its answers are waited for. */
export const FIRST_PROBED = 2;
const MOST_REMEMBERED = 10_000;

/** What all instances know of how quickly a webhook answers. Times in milliseconds, 0 for never. */
export interface ReceiverSpeed {
  readonly isSlow: boolean;
  readonly quickUntilMs: number;
  readonly probedUntilMs: number;
}

export interface ReceiverSpeedStore {
  receiverSpeed(webhookId: string): Promise<ReceiverSpeed>;
  /** Lets one of all that ask at once go first: true for that one, until it says what came of it or the time is over. */
  claimProbe(webhookId: string, nowMs: number, untilMs: number): Promise<boolean>;
  noteQuick(webhookId: string, untilMs: number): Promise<void>;
  markSlow(webhookId: string, isSlow: boolean): Promise<void>;
}

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

/** What is known of a webhook before its requests are started. */
export type KnownSpeed =
  | 'quick'
  | 'slow'
  | 'unknown'
  | 'probing' // nothing, and this instance is the one to find out
  | 'probed-elsewhere'; // nothing, and another one is still finding out

interface ProbeDependencies {
  readonly store: ReceiverSpeedStore;
  readonly memory: LaneMemory;
  readonly wait: (ms: number) => Promise<void>;
  readonly clock: () => number;
}

/**
 * What is known of how quickly a webhook answers. Of all instances that have a burst for one that nobody knows, one
 * asks first and the others wait for what it says: were it all of them, a receiver that stalls would have them all.
 * One or two requests at a time are no burst, and not worth the write.
 */
export const probeSpeed = async (
  webhookId: string,
  { quickUntilMs, probedUntilMs }: ReceiverSpeed,
  requests: number,
  { store, memory, wait, clock }: ProbeDependencies,
): Promise<KnownSpeed> => {
  if (memory.isQuick(webhookId, clock()) || quickUntilMs > clock()) return 'quick';
  const isProbed = probedUntilMs > clock();
  if (!isProbed && requests <= FIRST_PROBED) return 'unknown';
  if (!isProbed && (await store.claimProbe(webhookId, clock(), clock() + PROBE_MS))) return 'probing';
  const beganMs = isProbed ? probedUntilMs - PROBE_MS : clock();
  for (const lookAtMs of LOOKS_AT_MS) {
    const leftMs = beganMs + lookAtMs - clock();
    if (leftMs <= 0) continue;
    await wait(leftMs);
    const seen = await store.receiverSpeed(webhookId);
    if (seen.isSlow) return 'slow';
    if (seen.quickUntilMs > clock()) return 'quick';
  }
  return 'probed-elsewhere';
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

/**
 * Starts one webhook's requests of a batch, and answers whether they were quick. A webhook that is not known to be quick
 * is asked twice first; the others follow when both were answered in time. `onSlow` is called while the stalled ones
 * still run, with those that were not started: a batch's invocation is a scarce thing, and a receiver that stalls must
 * not get them all.
 */
export const startGroup = async <T>(
  group: readonly T[],
  options: {
    readonly isTrusted: boolean;
    readonly slowAfterMs: number;
    readonly onSlow: (left: readonly T[]) => Promise<void>;
    /** What is not due yet waits for it here, which is no slowness of the receiver's; `null`: it is due. */
    readonly untilDue?: (item: T) => Promise<void> | null;
  },
  start: (item: T) => Promise<void>,
): Promise<boolean> => {
  const first = options.isTrusted ? group : group.slice(0, FIRST_PROBED);
  const rest = group.slice(first.length);
  const asked: Promise<void>[] = [];
  const inTime = await Promise.all(
    first.map(async (item) => {
      const due = options.untilDue?.(item);
      if (due) await due;
      const work = start(item);
      asked.push(work);
      return isDoneWithin(work, options.slowAfterMs);
    }),
  );
  if (inTime.every(Boolean)) return rest.length === 0 || startGroup(rest, { ...options, isTrusted: true }, start);
  await options.onSlow(rest);
  await Promise.all(asked);
  return false;
};
