import { LONGEST_REQUEST_MS } from '../deliveries/retry-schedule.ts';
import { MINUTE_MS, SECOND_MS } from '../foundation/time.ts';
import { createCheckpoint } from './checkpoint.ts';
import { type DueTick, type SweepDependencies, type SweepProgress, sendEntries } from './due-tick.ts';
import { isFinished, nextRound, remindOverdue } from './remind-overdue.ts';

/**
 * How many milliseconds ahead each tick looks for parked deliveries. Ticks run once a minute and SQS can delay a
 * message by 900 s, so two missed ticks make no delivery late.
 */
const HORIZON_MS = 13 * MINUTE_MS;
/**
 * How many milliseconds of due times a tick reads again although a former tick has read them, because a row may enter
 * the index late: a function that parks a delivery may run for 45 s before it writes the row.
 */
const REREAD_MS = 2 * MINUTE_MS;
const REMIND_AFTER_MS = 5 * MINUTE_MS;

/** What one tick of the due index did and found. */
export interface SweepReport {
  /** Number of parked deliveries that entered the queue. */
  readonly unparked: number;
  /** Number of overdue deliveries that got another message. */
  readonly reminded: number;
  /** Whether the tick did all its work. If not, the next tick continues. */
  readonly complete: boolean;
  readonly owed: {
    /** Number of deliveries that are due and whose attempt is not recorded yet. */
    readonly owedNow: number;
    /** How many seconds the longest overdue delivery is late, in schedule time: the real lateness times `speed`. */
    readonly oldestOwedSeconds: number;
  };
}

/**
 * Runs one tick of the due index. First, parked deliveries enter the queue in their last minutes. Then overdue
 * deliveries get another message, each when its lateness passes 1, 2, 4, 8 … times the threshold: a backlog thus gets
 * few messages. The progress is stored in a row: a tick whose time is up, or ticks that were missed, leave the rest to
 * the next tick. `tickAtMs` is the instant the tick was scheduled for, so ticks leave no gap when they run late.
 */
export const sweepDue = async (
  tickAtMs: number,
  dependencies: SweepDependencies,
  isTimeUp: () => boolean,
): Promise<SweepReport> => {
  const tick = await startTick(tickAtMs, dependencies, isTimeUp);
  const unparked = await enqueueParked(tick);
  const { owed, oldestDueMs } = await measureBacklog(tick);
  let reminded = await remindOverdue(tick, oldestDueMs);
  if (isFinished(tick.round) && tick.round.untilMs < tickAtMs && !tick.isOver()) {
    tick.round = nextRound(tick.round.untilMs, tickAtMs, tick.shards);
    reminded += await remindOverdue(tick, oldestDueMs);
  }
  await tick.save();
  const complete =
    tick.parkedUntilMs === parkedHorizonMs(tick) && tick.round.untilMs >= tickAtMs && isFinished(tick.round);
  return { unparked, reminded, complete, owed };
};

/** Loads the progress of the due index and returns the tick. */
const startTick = async (atMs: number, dependencies: SweepDependencies, isTimeUp: () => boolean): Promise<DueTick> => {
  const { store, clock, speed, shards } = dependencies;
  const stored = await store.progress();
  const checkpoint = createCheckpoint<SweepProgress>(
    (...progress) => store.saveProgress(...progress),
    stored?.version ?? 0,
    clock,
  );
  let isOvertaken = false;
  const round = stored?.progress.round;
  const tick: DueTick = {
    ...dependencies,
    atMs,
    remindAfterMs: Math.max(REMIND_AFTER_MS / speed, LONGEST_REQUEST_MS),
    parkedUntilMs: stored?.progress.parkedUntilMs ?? 0,
    round:
      round?.positions.length === shards ? round : nextRound(round?.fromMs ?? atMs - MINUTE_MS / speed, atMs, shards),
    unparked: new Set(),
    isOver: () => isOvertaken || isTimeUp(),
    async save() {
      if (isOvertaken) return;
      isOvertaken = !(await checkpoint.save({ parkedUntilMs: tick.parkedUntilMs, round: tick.round }));
    },
    async saveIfDue() {
      if (checkpoint.isSaveDue()) await tick.save();
    },
  };
  return tick;
};

const parkedHorizonMs = ({ atMs, speed }: DueTick): number => Math.floor(atMs + HORIZON_MS / speed);

/**
 * Sends the messages of the parked deliveries that are due within the horizon. Reads only due times that no former tick
 * has finished, so a backlog of overdue deliveries delays no parked one. Returns the number of messages.
 */
const enqueueParked = async (tick: DueTick): Promise<number> => {
  const untilMs = parkedHorizonMs(tick);
  // A horizon before the stored one: the clock or the speed of a local stack was changed, so all due times are read.
  const afterMs = tick.parkedUntilMs > untilMs ? 0 : Math.max(0, tick.parkedUntilMs - REREAD_MS);
  let unparked = 0;
  const sweepShard = async (shard: number): Promise<boolean> => {
    for await (const entries of tick.index.parked(shard, { afterMs, untilMs })) {
      if (tick.isOver()) return false;
      await sendEntries(tick, entries);
      unparked += entries.length;
      for (const { deliveryId, dueAtMs } of entries) if (dueAtMs <= tick.atMs) tick.unparked.add(deliveryId);
    }
    return true;
  };
  const finished = await Promise.all(Array.from({ length: tick.shards }, (_, shard) => sweepShard(shard)));
  if (finished.every(Boolean)) tick.parkedUntilMs = untilMs;
  return unparked;
};

/** Counts the deliveries that are due at the tick and finds each shard's oldest. */
const measureBacklog = async ({ index, shards, atMs, speed, isOver }: DueTick) => {
  const backlogs = await Promise.all(Array.from({ length: shards }, (_, shard) => index.backlog(shard, atMs, isOver)));
  const oldestDueMs = backlogs.map((backlog) => backlog.oldestDueMs);
  const oldestMs = Math.min(atMs, ...oldestDueMs.map((dueMs) => dueMs ?? atMs));
  return {
    oldestDueMs,
    owed: {
      owedNow: backlogs.reduce((sum, { count }) => sum + count, 0),
      oldestOwedSeconds: ((atMs - oldestMs) * speed) / SECOND_MS,
    },
  };
};
