import * as z from 'zod';
import { DAY_SECONDS, SECOND_MS, toSeconds } from '../foundation/time.ts';

/**
 * The longest duration of one request to a receiver, milliseconds. At any schedule speed, a delivery counts as late or
 * lost only after this time.
 */
export const LONGEST_REQUEST_MS = 12_000;

/**
 * The longest time, in milliseconds, that a function waits for a delivery to become due. If the delivery is due later,
 * its message goes back to the queue.
 */
export const SHORT_WAIT_MS = 1000;

/**
 * Milliseconds after its due time for which an attempt counts as under way until its result is recorded: the longest
 * timeout that a webhook may have, 30 s, and two seconds for reading and recording.
 */
const UNDER_WAY_MS = 32_000;

/**
 * Returns whether an attempt that is due at `dueAtMs` and has no result may be under way. It may begin as early as
 * `SHORT_WAIT_MS` before its due time, because a function that has its message only waits for that time.
 */
export const isUnderWay = (dueAtMs: number, nowMs: number): boolean =>
  dueAtMs - SHORT_WAIT_MS <= nowMs && nowMs < dueAtMs + UNDER_WAY_MS;

/** The maximum number of seconds by which a `Retry-After` header makes a wait of the schedule longer. */
const MAX_RETRY_AFTER_EXTENSION_SECONDS = DAY_SECONDS;

/** How many waits of a schedule may be 0 s. Later retries are at least a second apart. */
const WAITS_OF_ZERO = 3;

/** A retry schedule: the seconds before each retry. A wait begins at the end of the previous attempt. */
export const waitsSchema = z
  .array(
    z
      .int()
      .min(0)
      .max(7 * DAY_SECONDS),
  )
  .max(20)
  .refine((waits) => waits.reduce((sum, wait) => sum + wait, 0) <= 14 * DAY_SECONDS, {
    message: 'the waits may total at most 14 days',
  })
  .superRefine((waits, context) => {
    for (const [index, wait] of waits.entries()) {
      if (index < WAITS_OF_ZERO || wait >= 1) continue;
      context.addIssue({
        code: 'custom',
        path: [index],
        message: `must be at least 1 after the first ${WAITS_OF_ZERO} waits`,
      });
    }
  });

/**
 * Returns the waits of a webhook's schedule in seconds: the webhook's own list, the schedule of the profile that it
 * names, or the schedule of its own profile.
 */
export const scheduleOf = (
  webhook: { readonly schedule: string | readonly number[] | null; readonly profile: string },
  profileOf: (name: string) => { readonly schedule: readonly number[] },
): readonly number[] =>
  webhook.schedule !== null && typeof webhook.schedule !== 'string'
    ? webhook.schedule
    : profileOf(webhook.schedule ?? webhook.profile).schedule;

/**
 * Returns the time of the next attempt, in milliseconds since the epoch. `Retry-After` can only make the wait longer,
 * by at most `MAX_RETRY_AFTER_EXTENSION_SECONDS`. `speed` divides the waits of the schedule but not those of the
 * receiver.
 */
export const nextDueMs = (
  endedAtMs: number,
  waitSeconds: number,
  speed: number,
  retryAfterSeconds: number | null,
): number => {
  const scheduledMs = (waitSeconds * SECOND_MS) / speed;
  const longestMs = scheduledMs + MAX_RETRY_AFTER_EXTENSION_SECONDS * SECOND_MS;
  const receiverMs = Math.min((retryAfterSeconds ?? 0) * SECOND_MS, longestMs);
  return Math.ceil(endedAtMs + Math.max(scheduledMs, receiverMs));
};

/** Matches an HTTP date in any of its three forms. `Date.parse` alone would read `1.5` as a day in January. */
const HTTP_DATE = /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*,? [\dA-Za-z :-]+$/;

/** Returns the seconds from now that a `Retry-After` header names; null if the header is neither seconds nor a date. */
export const retryAfterSeconds = (value: string | null, nowMs: number): number | null => {
  const text = value?.trim() ?? '';
  if (/^\d+$/.test(text)) return Number(text);
  if (!HTTP_DATE.test(text)) return null;
  const dateMs = Date.parse(text.endsWith('GMT') ? text : `${text} GMT`);
  return Number.isNaN(dateMs) ? null : Math.max(0, toSeconds(dateMs - nowMs));
};
