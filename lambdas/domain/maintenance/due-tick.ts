import type { DeliveryTicket } from '../deliveries/delivery.ts';

/** A delivery that waits for an attempt, as the due index stores it. */
export interface DueEntry extends DeliveryTicket {
  /** True if the delivery has no queue message yet, because its wait is too long for SQS. */
  readonly parked: boolean;
}

/** A range of due times in whole milliseconds: later than `afterMs`, and not later than `untilMs`. */
export interface DueRange {
  readonly afterMs: number;
  readonly untilMs: number;
}

/** The last entry of a range that was read, so that the next tick continues behind it. */
export interface DuePosition {
  readonly dueAtMs: number;
  readonly deliveryId: string;
}

/** How far the reminders of one shard are: the number of doublings, and the last entry that got its reminder. */
export interface ReminderPosition {
  readonly doubling: number;
  readonly after: DuePosition | null;
}

/**
 * A round of reminders: the reminders that fell due after `fromMs`, until `untilMs`. `positions` holds a position for
 * each shard of the due index; null: the shard is finished.
 */
export interface ReminderRound {
  readonly fromMs: number;
  readonly untilMs: number;
  readonly positions: readonly (ReminderPosition | null)[];
}

export interface DueIndex {
  /** Reads the parked entries of a shard in a range, page by page, by due time. */
  parked(shard: number, range: DueRange): AsyncIterable<readonly DueEntry[]>;
  /** Reads all entries of a shard in a range that come after the position, page by page, by due time. */
  overdue(shard: number, range: DueRange, after: DuePosition | null): AsyncIterable<readonly DueEntry[]>;
  /**
   * Counts the entries of a shard that are due by `nowMs`, and returns the due time of the oldest (null: no entry is
   * due). Stops counting when `isOver` returns true, so that the count is too low then.
   */
  backlog(shard: number, nowMs: number, isOver: () => boolean): Promise<{ count: number; oldestDueMs: number | null }>;
  /** Records in the due index that entries are in the queue now, each only if its ticket is still current. */
  unpark(entries: readonly DueEntry[]): Promise<void>;
}

/** The stored progress of the due tick. */
export interface SweepProgress {
  /** Every parked delivery that is due by this time, in milliseconds since the epoch, has entered the queue. */
  readonly parkedUntilMs: number;
  readonly round: ReminderRound;
}

export interface SweepStore {
  progress(): Promise<{ readonly progress: SweepProgress; readonly version: number } | null>;
  /**
   * Replaces the progress if it has the version that was read (0 = none). Returns false if another invocation replaced
   * it first.
   */
  saveProgress(progress: SweepProgress, version: number): Promise<boolean>;
}

export interface SweepDependencies {
  readonly index: DueIndex;
  readonly store: SweepStore;
  readonly queue: { send(tickets: readonly DeliveryTicket[], nowMs: number): Promise<void> };
  readonly clock: () => number;
  readonly speed: number;
  readonly shards: number;
}

/** One tick of the due index and how far it is. */
export interface DueTick extends SweepDependencies {
  readonly atMs: number;
  /** Milliseconds after its due time when a delivery gets another message, because its first message may be lost. */
  readonly remindAfterMs: number;
  parkedUntilMs: number;
  round: ReminderRound;
  /** Ids of the overdue deliveries that were parked until this tick. Their messages are new, so they need no reminder. */
  readonly unparked: Set<string>;
  /** Returns whether the tick must stop: its time is up, or another invocation stored its own progress. */
  isOver(): boolean;
  /** Stores the progress if the last save is ten seconds old. */
  saveIfDue(): Promise<void>;
  save(): Promise<void>;
}

/**
 * Sends a message for each entry and clears `parked` of those that were parked. The message is sent first: a tick that
 * dies between the two steps sends a message twice instead of never.
 */
export const sendEntries = async ({ queue, index, clock }: DueTick, entries: readonly DueEntry[]): Promise<void> => {
  await queue.send(entries, clock());
  await index.unpark(entries.filter(({ parked }) => parked));
};
