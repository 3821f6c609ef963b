import type { DeliveryTicket } from '../deliveries/delivery.ts';
import { LONGEST_REQUEST_MS } from '../deliveries/retry-schedule.ts';
import { MINUTE_MS, SECOND_MS } from '../foundation/time.ts';

/** A delivery that waits for an attempt, as the due index stores it. */
export interface DueEntry extends DeliveryTicket {
  /** True if the delivery has no queue message yet, because its wait is too long for SQS. */
  readonly parked: boolean;
}

export interface DueIndex {
  /**
   * Reads a shard of the due index page by page, by due time: entries due by `nowMs`, and parked entries due by
   * `parkedUntilMs`.
   */
  read(shard: number, nowMs: number, parkedUntilMs: number): AsyncIterable<readonly DueEntry[]>;
  /**
   * Records in the due index that the queue now has a message for each entry's delivery. Skips an entry if the
   * delivery's ticket number has changed since the entry was read.
   */
  unpark(entries: readonly DueEntry[]): Promise<void>;
}

export interface SweepDependencies {
  readonly index: DueIndex;
  readonly queue: { send(tickets: readonly DeliveryTicket[], nowMs: number): Promise<void> };
  readonly clock: () => number;
  readonly speed: number;
  readonly shards: number;
}

/**
 * How many milliseconds ahead each tick looks for parked deliveries. Ticks run once a minute and SQS can delay a
 * message by 900 s, so two missed ticks make no delivery late.
 */
const HORIZON_MS = 13 * MINUTE_MS;
const TICK_MS = MINUTE_MS;
/**
 * How many milliseconds a delivery must be late before it gets another message, because its first message may be lost.
 */
const REMIND_AFTER_MS = 5 * MINUTE_MS;

/**
 * Returns whether this tick sends another message for an overdue delivery. It does if the delivery's lateness passed
 * `thresholdMs` times 1, 2, 4, 8 … since the last tick, so that a backlog gets few messages.
 */
const isReminderDue = (latenessMs: number, thresholdMs: number, tickMs: number): boolean => {
  if (latenessMs < thresholdMs) return false;
  const passed = thresholdMs * 2 ** Math.floor(Math.log2(latenessMs / thresholdMs));
  return latenessMs - passed < tickMs;
};

/** What one tick of the due index did and found. */
export interface SweepReport {
  /** Number of parked deliveries that entered the queue. */
  readonly unparked: number;
  /** Number of overdue deliveries that got another message. */
  readonly reminded: number;
  readonly owed: {
    /** Number of deliveries that are due and whose attempt is not recorded yet. */
    readonly owedNow: number;
    /** How many seconds the longest overdue delivery is late, in schedule time: the real lateness times `speed`. */
    readonly oldestOwedSeconds: number;
  };
}

/**
 * Runs one tick of the due index: parked deliveries enter the queue in their last minutes, and overdue deliveries get
 * another message. `tickAtMs` is the instant the tick was scheduled for, so ticks leave no gap when they run late. Each
 * message is sent before the entry is unparked: a tick that dies between the two steps sends twice instead of never.
 */
export const sweepDue = async (
  tickAtMs: number,
  { index, queue, clock, speed, shards }: SweepDependencies,
): Promise<SweepReport> => {
  const remindAfterMs = Math.max(REMIND_AFTER_MS / speed, LONGEST_REQUEST_MS);
  const sweepShard = async (shard: number): Promise<SweepReport> => {
    let unparked = 0;
    let reminded = 0;
    let owedNow = 0;
    let oldestDueMs = tickAtMs;
    for await (const page of index.read(shard, tickAtMs, tickAtMs + HORIZON_MS / speed)) {
      const due = page.filter(({ dueAtMs }) => dueAtMs <= tickAtMs);
      owedNow += due.length;
      oldestDueMs = Math.min(oldestDueMs, due[0]?.dueAtMs ?? tickAtMs);
      const parked = page.filter((entry) => entry.parked);
      const overdue = page.filter(
        ({ parked, dueAtMs }) => !parked && isReminderDue(tickAtMs - dueAtMs, remindAfterMs, TICK_MS / speed),
      );
      await queue.send([...parked, ...overdue], clock());
      await index.unpark(parked);
      unparked += parked.length;
      reminded += overdue.length;
    }
    const oldestOwedSeconds = ((tickAtMs - oldestDueMs) * speed) / SECOND_MS;
    return { unparked, reminded, owed: { owedNow, oldestOwedSeconds } };
  };
  const swept = await Promise.all(Array.from({ length: shards }, (_, shard) => sweepShard(shard)));
  return swept.reduce((sum, each) => ({
    unparked: sum.unparked + each.unparked,
    reminded: sum.reminded + each.reminded,
    owed: {
      owedNow: sum.owed.owedNow + each.owed.owedNow,
      oldestOwedSeconds: Math.max(sum.owed.oldestOwedSeconds, each.owed.oldestOwedSeconds),
    },
  }));
};
