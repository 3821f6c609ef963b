import { describe, expect, it } from 'vitest';
import {
  nextDueMs,
  retryAfterSeconds,
  scheduleOf,
  waitsSchema,
} from '../../../lambdas/domain/deliveries/retry-schedule.ts';

const DAY = 86_400;
const profilesByName: Record<string, { schedule: readonly number[] }> = {
  passpost: { schedule: [60, 300] },
  standard: { schedule: [5] },
};
const profileOf = (name: string) => {
  const profile = profilesByName[name];
  if (!profile) throw new Error(name);
  return profile;
};

describe('the schedule of a webhook', () => {
  it.each([
    ["its profile's schedule by default", null, [60, 300]],
    ['the schedule of the profile that it names', 'standard', [5]],
    ['its own list of waits', [1, 2, 3], [1, 2, 3]],
    ['an empty list, for no retries', [], []],
  ])('is %s', (_name, schedule, waits) => {
    expect(scheduleOf({ schedule, profile: 'passpost' }, profileOf)).toEqual(waits);
  });
});

describe('a webhook’s own list of waits', () => {
  it.each([
    ['no entry', []],
    ['twenty waits', Array(20).fill(60)],
    ['a wait of 0 s', [0]],
    ['two waits of seven days', [7 * DAY, 7 * DAY]],
  ])('may hold %s', (_name, waits) => {
    expect(waitsSchema.safeParse(waits).success).toBe(true);
  });

  it.each([
    ['twenty-one waits', Array(21).fill(1)],
    ['a wait of more than seven days', [7 * DAY + 1]],
    ['more than fourteen days in total', [7 * DAY, 7 * DAY, 1]],
    ['a negative wait', [-1]],
    ['a fraction of a second', [1.5]],
    ['text', ['60']],
    ['NaN', [Number.NaN]],
  ])('may not hold %s', (_name, waits) => {
    expect(waitsSchema.safeParse(waits).success).toBe(false);
  });
});

describe('the next attempt', () => {
  it.each([
    ['after its wait', 60, 1, null, 60_000],
    ['immediately if the wait is 0', 0, 1, null, 0],
    ['sooner if the schedule speed is 60', 3600, 60, null, 60_000],
    ['at the next whole millisecond', 1, 7, null, 143],
    ['later if Retry-After is longer than the wait', 60, 1, 120, 120_000],
    ['after its own wait if Retry-After is shorter', 60, 1, 10, 60_000],
    ['after the full Retry-After if the schedule speed is 60', 60, 60, 10, 10_000],
    ['at most one day after its own wait', 60, 1, 30 * DAY, 60_000 + DAY * 1000],
  ])('is due %s', (_name, wait, speed, retryAfter, expected) => {
    expect(nextDueMs(1_700_000_000_000, wait, speed, retryAfter)).toBe(1_700_000_000_000 + expected);
  });
});

describe('retryAfterSeconds', () => {
  const nowMs = Date.parse('1994-11-06T08:49:30.500Z');

  it.each([
    ['seconds', ' 120 ', 120],
    ['zero seconds', '0', 0],
    ['a date', 'Sun, 06 Nov 1994 08:49:37 GMT', 7],
    ['a date in the form of RFC 850', 'Sunday, 06-Nov-94 08:49:37 GMT', 7],
    ['a date in the form of asctime', 'Sun Nov  6 08:49:37 1994', 7],
    ['a past date', 'Sun, 06 Nov 1994 08:49:00 GMT', 0],
    ['a missing header', null, null],
    ['an empty text', '', null],
    ['a negative number', '-5', null],
    ['a fraction of a second', '1.5', null],
    ['an ISO date', '1994-11-06T08:49:37Z', null],
    ['a word', 'soon', null],
    ['an impossible date', 'Sun, 99 Foo 1994 08:49:37 GMT', null],
  ])('reads %s', (_name, value, seconds) => {
    expect(retryAfterSeconds(value, nowMs)).toBe(seconds);
  });
});
