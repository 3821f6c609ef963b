import { setTimeout as sleep } from 'node:timers/promises';
import { PassPostError } from '../../domain/foundation/errors.ts';

const MAX_TRIES = 5;

/**
 * Waits before the next try: 50 ms after the first try, and twice as long after each further try. Each wait varies at
 * random by ±50 %.
 */
const backOff = (tries: number): Promise<void> => sleep(25 * 2 ** tries * (0.5 + Math.random()));

/** Returns the error `unavailable` for a table that stays throttled. */
export const tablesAreBusy = (): PassPostError =>
  new PassPostError('unavailable', 'The tables are busy. Try again in a moment.');

/**
 * Sends items until AWS has accepted all of them. `send` returns the items that AWS asked to send again. Throws the
 * error of `giveUp` after `maxTries` tries.
 */
export const retryRemaining = async <T>(
  items: readonly T[],
  send: (items: readonly T[]) => Promise<readonly T[]>,
  giveUp: (items: readonly T[]) => Error,
  maxTries = MAX_TRIES,
): Promise<void> => {
  let remaining = await send(items);
  for (let tries = 1; remaining.length > 0; tries++) {
    if (tries === maxTries) throw giveUp(remaining);
    await backOff(tries);
    remaining = await send(remaining);
  }
};

/**
 * Splits items into batches of `size`, runs `atOnce` batches side by side, and returns the results in the order of the
 * batches.
 */
export const inBatches = async <T, R>(
  items: readonly T[],
  size: number,
  run: (batch: T[]) => Promise<R>,
  atOnce = 4,
): Promise<R[]> => {
  const batches = Array.from({ length: Math.ceil(items.length / size) }, (_, index) =>
    items.slice(index * size, (index + 1) * size),
  );
  const results: R[] = [];
  for (let start = 0; start < batches.length; start += atOnce) {
    results.push(...(await Promise.all(batches.slice(start, start + atOnce).map(run))));
  }
  return results;
};
