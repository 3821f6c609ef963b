import * as z from 'zod';
import { DAY_MS, DAY_SECONDS, SECOND_MS, toSeconds } from '../foundation/time.ts';

/** However fast the schedules run here, a receiver may take this long for one request: until then nothing is late or lost. */
export const LONGEST_REQUEST_MS = 12_000;

/** A schedule given as seconds before each retry. A wait counts from the end of the attempt before it. */
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
  });

/** The waits that hold for a webhook: its own list, those of the profile it names, or those of its own profile. */
export const scheduleOf = (
  webhook: { readonly schedule: string | readonly number[] | null; readonly profile: string },
  profileOf: (name: string) => { readonly schedule: readonly number[] },
): readonly number[] =>
  webhook.schedule !== null && typeof webhook.schedule !== 'string'
    ? webhook.schedule
    : profileOf(webhook.schedule ?? webhook.profile).schedule;

/**
 * When the next attempt is due. What the receiver asked for with `Retry-After` only lengthens the wait, by at most a
 * day, and is the receiver's time: `speed`, which divides our own waits, does not touch it.
 */
export const nextDueMs = (
  endedAtMs: number,
  waitSeconds: number,
  speed: number,
  retryAfterSeconds: number | null,
): number => {
  const ownMs = (waitSeconds * SECOND_MS) / speed;
  const askedMs = Math.min((retryAfterSeconds ?? 0) * SECOND_MS, ownMs + DAY_MS);
  return Math.ceil(endedAtMs + Math.max(ownMs, askedMs));
};

/** A date as HTTP writes it, in any of its three forms. `Date.parse` alone takes `1.5` for a day in January. */
const HTTP_DATE = /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*,? [\dA-Za-z :-]+$/;

/** The seconds a `Retry-After` asks to wait from now on, or null where it is neither seconds nor a date. */
export const retryAfterSeconds = (value: string | null, nowMs: number): number | null => {
  const text = value?.trim() ?? '';
  if (/^\d+$/.test(text)) return Number(text);
  if (!HTTP_DATE.test(text)) return null;
  const dateMs = Date.parse(text.endsWith('GMT') ? text : `${text} GMT`);
  return Number.isNaN(dateMs) ? null : Math.max(0, toSeconds(dateMs - nowMs));
};
