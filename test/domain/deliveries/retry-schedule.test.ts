import { describe, expect, it } from 'vitest';
import {
  nextDueMs,
  retryAfterSeconds,
  scheduleOf,
  waitsSchema,
} from '../../../lambdas/domain/deliveries/retry-schedule.ts';

const DAY = 86_400;
const patient: Record<string, { schedule: readonly number[] }> = {
  passpost: { schedule: [60, 300] },
  standard: { schedule: [5] },
};
const profileOf = (name: string) => {
  const found = patient[name];
  if (!found) throw new Error(name);
  return found;
};

describe('the schedule of a webhook', () => {
  it.each([
    ["its profile's own", null, [60, 300]],
    ['that of a named profile', 'standard', [5]],
    ['its own list', [1, 2, 3], [1, 2, 3]],
    ['none at all', [], []],
  ])('is %s', (_name, schedule, waits) => {
    expect(scheduleOf({ schedule, profile: 'passpost' }, profileOf)).toEqual(waits);
  });
});

describe('an own list of waits', () => {
  it.each([
    ['nothing', []],
    ['twenty waits', Array(20).fill(60)],
    ['no wait at all', [0]],
    ['seven days twice', [7 * DAY, 7 * DAY]],
  ])('may hold %s', (_name, waits) => {
    expect(waitsSchema.safeParse(waits).success).toBe(true);
  });

  it.each([
    ['twenty-one waits', Array(21).fill(1)],
    ['more than seven days at once', [7 * DAY + 1]],
    ['more than fourteen days together', [7 * DAY, 7 * DAY, 1]],
    ['a time before now', [-1]],
    ['parts of a second', [1.5]],
    ['text', ['60']],
    ['no number', [Number.NaN]],
  ])('may not hold %s', (_name, waits) => {
    expect(waitsSchema.safeParse(waits).success).toBe(false);
  });
});

describe('the next attempt', () => {
  it.each([
    ['after its wait', 60, 1, null, 60_000],
    ['at once where the wait is nothing', 0, 1, null, 0],
    ['sooner at speed', 3600, 60, null, 60_000],
    ['never early: a part of a millisecond is rounded up', 1, 7, null, 143],
    ['later where the receiver asks', 60, 1, 120, 120_000],
    ['no sooner than its own wait', 60, 1, 10, 60_000],
    ["later in the receiver's own time at speed", 60, 60, 10, 10_000],
    ['at most a day later than it would have been', 60, 1, 30 * DAY, 60_000 + DAY * 1000],
  ])('is due %s', (_name, wait, speed, retryAfter, expected) => {
    expect(nextDueMs(1_700_000_000_000, wait, speed, retryAfter)).toBe(1_700_000_000_000 + expected);
  });
});

describe('Retry-After', () => {
  const nowMs = Date.parse('1994-11-06T08:49:30.500Z');

  it.each([
    ['seconds', ' 120 ', 120],
    ['no seconds', '0', 0],
    ['a date', 'Sun, 06 Nov 1994 08:49:37 GMT', 7],
    ['a date in the form of RFC 850', 'Sunday, 06-Nov-94 08:49:37 GMT', 7],
    ['a date in the form of asctime', 'Sun Nov  6 08:49:37 1994', 7],
    ['a date that is over', 'Sun, 06 Nov 1994 08:49:00 GMT', 0],
    ['nothing', null, null],
    ['an empty text', '', null],
    ['a time before now', '-5', null],
    ['parts of a second', '1.5', null],
    ['another form of date', '1994-11-06T08:49:37Z', null],
    ['a word', 'soon', null],
    ['a date that is none', 'Sun, 99 Foo 1994 08:49:37 GMT', null],
  ])('may be %s', (_name, value, seconds) => {
    expect(retryAfterSeconds(value, nowMs)).toBe(seconds);
  });
});
