import { HOUR_MS, MINUTE_MS } from '../foundation/time.ts';

/**
 * An hour whose deliveries are counted together, by the time of their events. Times are milliseconds since the epoch.
 */
export interface Hour {
  readonly startMs: number;
  /** The first millisecond after the hour. */
  readonly endMs: number;
}

/** Milliseconds between an hour's end and its first reading: deliveries that were written late exist by then. */
const QUIET_MS = 15 * MINUTE_MS;

/**
 * Returns the length of a counted hour in milliseconds. `speed` divides the hour, as it divides the waits of retry
 * schedules.
 */
const lengthMs = (speed: number): number => Math.max(1, Math.round(HOUR_MS / speed));

/** Returns the milliseconds between an hour's end and its first reading, divided by `speed`. */
export const quietMs = (speed: number): number => QUIET_MS / speed;

/** Returns the counted hour that contains a time (milliseconds). */
export const hourAt = (timeMs: number, speed: number): Hour => {
  const startMs = timeMs - (timeMs % lengthMs(speed));
  return { startMs, endMs: startMs + lengthMs(speed) };
};

/** Returns the counted hour that contains the time `hours` counted hours before `timeMs`. */
export const hoursBefore = (timeMs: number, hours: number, speed: number): Hour =>
  hourAt(Math.max(0, timeMs - hours * lengthMs(speed)), speed);

/**
 * Returns when an hour with open deliveries is read again: at the age of 1, 2, 4, 8 … hours, so at most about twelve
 * times. Its counts are then right even though a schedule lasts days. `null` = no further reading, because its rows are
 * about to expire.
 */
export const nextReadingMs = ({ startMs, endMs }: Hour, nowMs: number, retentionHours: number): number | null => {
  const hourMs = endMs - startMs;
  const age = (nowMs - endMs) / hourMs;
  const nextAge = age < 1 ? 1 : 2 ** (Math.floor(Math.log2(age)) + 1);
  return nextAge < retentionHours ? endMs + nextAge * hourMs : null;
};
