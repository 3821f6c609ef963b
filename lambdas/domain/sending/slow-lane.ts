/**
 * Milliseconds of answering beyond which a webhook counts as slow. A slow webhook's deliveries go through the slow lane
 * until it answers within this time again.
 */
export const SLOW_AFTER_MS = 500;

/**
 * Milliseconds for which a webhook counts as quick after a quick answer: it may receive all requests of a batch at the
 * same time.
 */
export const TRUST_MS = 30_000;
/**
 * Milliseconds for which one function instance alone may probe a webhook's speed. The instance publishes the result
 * earlier unless it dies.
 */
export const PROBE_MS = 2000;
/**
 * The times at which instances that do not probe read the probe's result, in milliseconds after the probe's start. An
 * instance that finds no result sends its deliveries back to the queue.
 */
const READ_RESULT_AT_MS = [20, 60, 120, 200];
/** Number of requests that a webhook of unknown speed gets before its other requests wait for the first answers. */
export const FIRST_PROBED = 2;
const MAX_REMEMBERED = 10_000;

/**
 * The stored speed of a webhook's receiver, which all function instances share. Times are milliseconds since the epoch;
 * 0 means never.
 */
export interface ReceiverSpeed {
  readonly isSlow: boolean;
  readonly quickUntilMs: number;
  readonly probedUntilMs: number;
}

export interface ReceiverSpeedStore {
  receiverSpeed(webhookId: string): Promise<ReceiverSpeed>;
  /** Claims the probe of a webhook until `untilMs`. Returns false if another instance holds the claim. */
  claimProbe(webhookId: string, nowMs: number, untilMs: number): Promise<boolean>;
  /** Publishes that a webhook is quick until `untilMs`, and ends the probe. */
  markQuick(webhookId: string, untilMs: number): Promise<void>;
  /** Publishes whether a webhook belongs to the slow lane, and ends the probe. */
  markSlow(webhookId: string, isSlow: boolean): Promise<void>;
}

/** The quick webhooks that one function instance has seen. A new instance remembers none. */
export interface LaneMemory {
  isQuick(webhookId: string, nowMs: number): boolean;
  rememberQuick(webhookId: string, nowMs: number): void;
  forgetQuick(webhookId: string): void;
}

export const createLaneMemory = (): LaneMemory => {
  const quickAt = new Map<string, number>();
  return {
    isQuick: (webhookId, nowMs) => nowMs - (quickAt.get(webhookId) ?? Number.NEGATIVE_INFINITY) < TRUST_MS,
    rememberQuick(webhookId, nowMs) {
      if (quickAt.size >= MAX_REMEMBERED) quickAt.clear();
      quickAt.set(webhookId, nowMs);
    },
    forgetQuick(webhookId) {
      quickAt.delete(webhookId);
    },
  };
};

/** What an instance knows about a webhook's speed just before it starts the webhook's requests. */
export type KnownSpeed =
  | 'quick'
  | 'slow'
  | 'unknown'
  | 'probing' // unknown; this instance probes it
  | 'probed-elsewhere'; // unknown; another instance is still probing it

interface ProbeDependencies {
  readonly store: ReceiverSpeedStore;
  readonly memory: LaneMemory;
  readonly wait: (ms: number) => Promise<void>;
  readonly clock: () => number;
}

/**
 * Returns what is known about a webhook's speed. If nothing is known, one instance claims the probe (the first
 * requests), and the others wait briefly for its result, because a slow receiver would otherwise occupy all instances.
 * An instance that has only one or two requests for the webhook does not claim the probe.
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
  for (const readAtMs of READ_RESULT_AT_MS) {
    const leftMs = beganMs + readAtMs - clock();
    if (leftMs <= 0) continue;
    await wait(leftMs);
    const speed = await store.receiverSpeed(webhookId);
    if (speed.isSlow) return 'slow';
    if (speed.quickUntilMs > clock()) return 'quick';
  }
  return 'probed-elsewhere';
};

/** Returns whether the work is done within `ms` milliseconds. The timer is cleared as soon as the work is done. */
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
