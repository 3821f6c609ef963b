import type { DeliveryTicket } from '../deliveries/delivery.ts';
import { LONGEST_REQUEST_MS } from '../deliveries/retry-schedule.ts';
import { MINUTE_MS, SECOND_MS } from '../foundation/time.ts';

/** A delivery that is owed an attempt, as the due index knows it. */
export interface DueEntry extends DeliveryTicket {
  readonly parked: boolean;
}

export interface DueIndex {
  /** Of one shard, page by page and by due time: what is due by now, and what is parked and due by then. */
  read(shard: number, nowMs: number, parkedUntilMs: number): AsyncIterable<readonly DueEntry[]>;
  /** Notes that entries have entered the queue, each only while it holds its ticket. */
  unpark(entries: readonly DueEntry[]): Promise<void>;
}

export interface SweepDependencies {
  readonly index: DueIndex;
  readonly queue: { send(tickets: readonly DeliveryTicket[], nowMs: number): Promise<void> };
  readonly clock: () => number;
  readonly speed: number;
  readonly shards: number;
}

/** A tick a minute; each looks this far ahead, so that two may be missed before anything is late. The queue carries 900 s. */
const HORIZON_MS = 13 * MINUTE_MS;
const TICK_MS = MINUTE_MS;
const OVERDUE_AFTER_MS = 5 * MINUTE_MS;

/** Whether lateness passed 1, 2, 4, 8 … times the threshold since the last tick: a backlog is reminded of, not flooded. */
const isReminderDue = (latenessMs: number, thresholdMs: number, tickMs: number): boolean => {
  if (latenessMs < thresholdMs) return false;
  const passed = thresholdMs * 2 ** Math.floor(Math.log2(latenessMs / thresholdMs));
  return latenessMs - passed < tickMs;
};

export interface Swept {
  readonly unparked: number;
  readonly reminded: number;
  readonly owed: {
    /** What is due by now and not recorded as done. */
    readonly owedNow: number;
    /** How long the oldest of it has been due, in the schedule's own time: where waits are divided, so is this. */
    readonly oldestOwedSeconds: number;
  };
}

/**
 * One tick of the table that owes: parked waits enter the queue in their last minutes, and what should have gone by now
 * is sent again. `tickAtMs` is the instant the tick was scheduled for, so that ticks tile time however late they run.
 * A message first, then its mark: a tick that dies between sends twice rather than never.
 */
export const sweepDue = async (
  tickAtMs: number,
  { index, queue, clock, speed, shards }: SweepDependencies,
): Promise<Swept> => {
  const overdueAfterMs = Math.max(OVERDUE_AFTER_MS / speed, LONGEST_REQUEST_MS);
  const sweepShard = async (shard: number): Promise<Swept> => {
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
        ({ parked, dueAtMs }) => !parked && isReminderDue(tickAtMs - dueAtMs, overdueAfterMs, TICK_MS / speed),
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
