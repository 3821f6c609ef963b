import { HOUR_MS, MINUTE_MS } from '../foundation/time.ts';

/** A stretch of time whose deliveries are counted together, by the time of their events. Milliseconds. */
export interface Hour {
  readonly startMs: number;
  /** The first that does not belong to it any more. */
  readonly endMs: number;
}

/** An hour is read when it has been over for so long: what was written late for it is there by then. */
const QUIET_MS = 15 * MINUTE_MS;

/** `speed` divides the hour as it divides every wait. */
const lengthMs = (speed: number): number => Math.max(1, Math.round(HOUR_MS / speed));

export const quietMs = (speed: number): number => QUIET_MS / speed;

/** The hour that a time falls into. */
export const hourAt = (timeMs: number, speed: number): Hour => {
  const startMs = timeMs - (timeMs % lengthMs(speed));
  return { startMs, endMs: startMs + lengthMs(speed) };
};

/** The hour that starts so many hours before a time does. */
export const hoursBefore = (timeMs: number, hours: number, speed: number): Hour =>
  hourAt(Math.max(0, timeMs - hours * lengthMs(speed)), speed);

/**
 * When an hour that still had open deliveries is read again: at the age of 1, 2, 4, 8 … hours, so that its counts end
 * right although a schedule lasts days, and however long that is it is read but a dozen times. `null`: never, for by then
 * its rows begin to expire.
 */
export const nextReadingMs = ({ startMs, endMs }: Hour, nowMs: number, retentionHours: number): number | null => {
  const hourMs = endMs - startMs;
  const age = (nowMs - endMs) / hourMs;
  const nextAge = age < 1 ? 1 : 2 ** (Math.floor(Math.log2(age)) + 1);
  return nextAge < retentionHours ? endMs + nextAge * hourMs : null;
};
