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

describe('the waits of a webhook (scheduleOf)', () => {
  it.each([
    ['the schedule of its profile if its schedule is null', null, [60, 300]],
    ['the schedule of the profile standard if its schedule is "standard"', 'standard', [5]],
    ['its own list if its schedule is a list', [1, 2, 3], [1, 2, 3]],
    ['an empty list if its schedule is an empty list', [], []],
  ])('are %s', (_name, schedule, waits) => {
    expect(scheduleOf({ schedule, profile: 'passpost' }, profileOf)).toEqual(waits);
  });
});

describe('a webhook’s own list of waits', () => {
  it.each([
    ['no waits', []],
    ['twenty waits', Array(20).fill(60)],
    ['a wait of 0 s', [0]],
    ['three waits of 0 s and one of 1 s', [0, 0, 0, 1]],
    ['two waits of seven days', [7 * DAY, 7 * DAY]],
  ])('is accepted with %s', (_name, waits) => {
    expect(waitsSchema.safeParse(waits).success).toBe(true);
  });

  it.each([
    ['twenty-one waits', Array(21).fill(1)],
    ['a wait of more than seven days', [7 * DAY + 1]],
    ['more than fourteen days in total', [7 * DAY, 7 * DAY, 1]],
    ['a negative wait', [-1]],
    ['a fraction of a second', [1.5]],
    ['a wait that is text', ['60']],
    ['a wait that is NaN', [Number.NaN]],
  ])('is rejected with %s', (_name, waits) => {
    expect(waitsSchema.safeParse(waits).success).toBe(false);
  });
});

describe('the next attempt (nextDueMs)', () => {
  it.each([
    ['after its wait of 60 s', 60, 1, null, 60_000],
    ['immediately if its wait is 0 s', 0, 1, null, 0],
    ['after 60 s if its wait is 3,600 s and the schedule speed is 60', 3600, 60, null, 60_000],
    ['after 143 ms, rounded up, if its wait is 1 s and the schedule speed is 7', 1, 7, null, 143],
    ['after 120 s if its wait is 60 s and Retry-After is 120 s', 60, 1, 120, 120_000],
    ['after 60 s if its wait is 60 s and Retry-After is 10 s', 60, 1, 10, 60_000],
    ['after 10 s if its wait is 60 s, the schedule speed is 60 and Retry-After is 10 s', 60, 60, 10, 10_000],
    ['after 60 s and one day if its wait is 60 s and Retry-After is 30 days', 60, 1, 30 * DAY, 60_000 + DAY * 1000],
  ])('is due %s', (_name, wait, speed, retryAfter, expected) => {
    expect(nextDueMs(1_700_000_000_000, wait, speed, retryAfter)).toBe(1_700_000_000_000 + expected);
  });
});

describe('retryAfterSeconds at 08:49:30.5 on 6 November 1994', () => {
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
  ])('given %s (%j), returns %j', (_name, value, seconds) => {
    expect(retryAfterSeconds(value, nowMs)).toBe(seconds);
  });
});
