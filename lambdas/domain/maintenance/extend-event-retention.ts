import type { StoredDelivery } from '../deliveries/delivery.ts';
import { DAY_MS } from '../foundation/time.ts';
import { type Checkpoint, createCheckpoint } from './checkpoint.ts';
import { type ExpireHoldsDependencies, expireHolds, type HoldStore } from './expire-holds.ts';
import { type WebhookPosition, type WebhookWalkStore, walkWebhooks } from './walk-webhooks.ts';

/**
 * Where reading a webhook's unfinished deliveries continues: after the delivery `after` in list number `list`. Each
 * status has one list per shard.
 */
export interface OpenCursor {
  readonly list: number;
  /** Id of the delivery after which reading continues. `null` = from the beginning of the list. */
  readonly after: string | null;
}

/** The stored progress of a round. A round reads the open deliveries of all webhooks once. */
export interface RetentionProgress {
  /** When the round began, in milliseconds. */
  readonly startedMs: number;
  readonly isOver: boolean;
  /** The webhook that is read now, or was read last. `null` = none yet. */
  readonly position: WebhookPosition | null;
  /** Where reading the webhook at `position` continues. `null` = the webhook is read to its end. */
  readonly cursor: OpenCursor | null;
}

/** The fields of a delivery that name the event that the delivery still needs. */
export type EventReference = Pick<StoredDelivery, 'id' | 'owner' | 'event_id'>;

export interface RetentionStore extends WebhookWalkStore, HoldStore {
  retentionProgress(): Promise<{ readonly progress: RetentionProgress; readonly version: number } | null>;
  /**
   * Replaces the stored progress of the extension of events' retention if the stored progress has the version that was
   * read (0 = none). Returns false if another invocation replaced it first.
   */
  saveRetentionProgress(progress: RetentionProgress, version: number): Promise<boolean>;
  /**
   * Reads a page of a webhook's pending, failed and held deliveries whose events are old enough to expire soon. `next`
   * is null after the last page.
   */
  openDeliveries(
    webhookId: string,
    cursor: OpenCursor | null,
    nowMs: number,
  ): Promise<{ readonly found: readonly StoredDelivery[]; readonly next: OpenCursor | null }>;
  /**
   * Extends the retention of those deliveries' events that would expire before a whole schedule is over. Returns how
   * many events it extended.
   */
  extendEvents(deliveries: readonly EventReference[], nowMs: number): Promise<number>;
}

export interface RetentionDependencies extends ExpireHoldsDependencies {
  readonly store: RetentionStore;
}

/** How many deliveries of a webhook were cancelled because they were held for too long. */
export interface ExpiredHold extends WebhookPosition {
  readonly deliveries: number;
}

export interface RetentionReport {
  /** Number of events whose retention was extended. */
  readonly extended: number;
  /** Number of held deliveries that were released. */
  readonly released: number;
  readonly expiredHolds: readonly ExpiredHold[];
}

/**
 * Milliseconds from the start of a round to the start of the next: a week. An event with an open delivery has at least
 * one whole schedule (two weeks) left, so two rounds fall into that time: a delivery that changed during one round is
 * found by the next.
 */
const ROUND_MS = 7 * DAY_MS;

/**
 * One invocation of the retention job and how far its round is. The checkpoint stores `startedMs`, `position` and
 * `cursor`.
 */
interface Round {
  readonly tickAtMs: number;
  readonly dependencies: RetentionDependencies;
  readonly isTimeUp: () => boolean;
  readonly checkpoint: Checkpoint<RetentionProgress>;
  readonly startedMs: number;
  position: WebhookPosition | null;
  cursor: OpenCursor | null;
  readonly report: { extended: number; released: number; readonly expiredHolds: ExpiredHold[] };
}

/**
 * Once a week, reads the open deliveries of older events and extends these events until the deliveries are settled. A
 * webhook may be disabled longer than its events are retained, and a receiver may delay its schedule with
 * `Retry-After`. A delivery is held for 90 days, or for the retention if that is longer; then it is cancelled. The
 * progress of a round is stored in a row. Running twice is safe.
 *
 * Costs: once a week twelve index partitions of each webhook are queried, half a read unit each. With 10,000 webhooks
 * that is 260,000 units and 3 cents a month. A million deliveries held for older events cost 35 cents of reads a month,
 * and a write for each event every two or three weeks, $0.63 if the event has at most a kilobyte.
 */
export const extendEventRetention = async (
  tickAtMs: number,
  dependencies: RetentionDependencies,
  isTimeUp: () => boolean,
): Promise<RetentionReport> => {
  const round = await startRound(tickAtMs, dependencies, isTimeUp);
  if (round === null) return { extended: 0, released: 0, expiredHolds: [] };
  if ((await finishInterruptedWebhook(round)) && (await readWebhooks(round))) await save(round, true);
  return round.report;
};

/** Begins a round or continues the stored one, and returns it. `null` if no round is due or no time is left. */
const startRound = async (
  tickAtMs: number,
  dependencies: RetentionDependencies,
  isTimeUp: () => boolean,
): Promise<Round | null> => {
  const { store, clock } = dependencies;
  const stored = await store.retentionProgress();
  const isBegun = stored?.progress.isOver === false;
  if (isTimeUp() || (stored && !isBegun && tickAtMs - stored.progress.startedMs < ROUND_MS)) return null;
  return {
    tickAtMs,
    dependencies,
    isTimeUp,
    checkpoint: createCheckpoint(
      (...progress) => store.saveRetentionProgress(...progress),
      stored?.version ?? 0,
      clock,
    ),
    startedMs: isBegun ? stored.progress.startedMs : tickAtMs,
    position: isBegun ? stored.progress.position : null,
    cursor: isBegun ? stored.progress.cursor : null,
    report: { extended: 0, released: 0, expiredHolds: [] },
  };
};

// Each function below returns whether the round may continue: there is time left, and no other invocation took over.

const finishInterruptedWebhook = async (round: Round): Promise<boolean> => {
  const { position, cursor } = round;
  return !position || !cursor || readWebhook(round, position, cursor);
};

const readWebhooks = async (round: Round): Promise<boolean> => {
  for await (const position of walkWebhooks(round.dependencies.store, round.position, 0)) {
    if (position.webhookId !== '') {
      if (!(await readWebhook(round, position, null))) return false;
    } else if (round.isTimeUp()) {
      await save(round);
      return false;
    }
  }
  return true;
};

/**
 * Cancels a webhook's deliveries that were held for too long and extends the events of its other open deliveries, page
 * by page.
 */
const readWebhook = async (round: Round, position: WebhookPosition, cursor: OpenCursor | null): Promise<boolean> => {
  const { tickAtMs, dependencies, isTimeUp, report } = round;
  const { store } = dependencies;
  round.position = position;
  round.cursor = cursor;
  do {
    const { found, next } = await store.openDeliveries(position.webhookId, round.cursor, tickAtMs);
    const { open, released, cancelled } = await expireHolds(position, found, tickAtMs, dependencies, isTimeUp);
    report.released += released;
    if (cancelled > 0) report.expiredHolds.push({ ...position, deliveries: cancelled });
    if (open.length > 0) report.extended += await store.extendEvents(open, tickAtMs);
    round.cursor = next;
  } while (round.cursor !== null && !isTimeUp());
  if (!isTimeUp() && !round.checkpoint.isSaveDue()) return true;
  return (await save(round)) && !isTimeUp();
};

const save = ({ checkpoint, startedMs, position, cursor }: Round, isOver = false): Promise<boolean> =>
  checkpoint.save({ startedMs, isOver, position, cursor });
