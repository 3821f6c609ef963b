import { type DueRange, type DueTick, type ReminderPosition, type ReminderRound, sendEntries } from './due-tick.ts';

/**
 * Returns the due times of the deliveries whose lateness passed `thresholdMs` times 2 to the power of `doubling` within
 * the round. The ranges of a round do not overlap, so a round reminds of each delivery once, however long it is.
 */
export const reminderRange = (
  { fromMs, untilMs }: Pick<ReminderRound, 'fromMs' | 'untilMs'>,
  thresholdMs: number,
  doubling: number,
): DueRange => {
  const latenessMs = thresholdMs * 2 ** doubling;
  return {
    afterMs: Math.floor(Math.max(fromMs - latenessMs, untilMs - 2 * latenessMs)),
    untilMs: Math.floor(untilMs - latenessMs),
  };
};

/** Creates the round that follows a round: it begins where the former round ends, also if ticks were missed. */
export const nextRound = (fromMs: number, untilMs: number, shards: number): ReminderRound => ({
  fromMs,
  untilMs,
  positions: Array.from({ length: shards }, () => ({ doubling: 0, after: null })),
});

/** Returns whether every shard of a round is finished. */
export const isFinished = ({ positions }: ReminderRound): boolean => positions.every((position) => position === null);

/**
 * Sends another message for the deliveries of a round, the least overdue first, until the round is finished or the
 * tick's time is up. `oldestDueMs` has the due time of each shard's oldest overdue entry (null: no entry is overdue).
 * Updates the round of the tick. Returns the number of messages.
 */
export const remindOverdue = async (tick: DueTick, oldestDueMs: readonly (number | null)[]): Promise<number> => {
  let reminded = 0;
  const setPosition = (shard: number, position: ReminderPosition | null): void => {
    tick.round = { ...tick.round, positions: tick.round.positions.with(shard, position) };
  };
  const remindShard = async (shard: number, oldestMs: number | null): Promise<void> => {
    let position = tick.round.positions[shard] ?? null;
    while (position !== null && !tick.isOver()) {
      const range = reminderRange(tick.round, tick.remindAfterMs, position.doubling);
      if (oldestMs === null || range.untilMs < oldestMs) return setPosition(shard, null);
      for await (const entries of tick.index.overdue(shard, range, position.after)) {
        const waiting = entries.filter(({ deliveryId }) => !tick.unparked.has(deliveryId));
        await sendEntries(tick, waiting);
        reminded += waiting.length;
        position = { doubling: position.doubling, after: entries.at(-1) ?? null };
        setPosition(shard, position);
        await tick.saveIfDue();
        if (tick.isOver()) return;
      }
      position = { doubling: position.doubling + 1, after: null };
      setPosition(shard, position);
    }
  };
  await Promise.all(oldestDueMs.map((oldestMs, shard) => remindShard(shard, oldestMs)));
  return reminded;
};
