import { describe, expect, it, test } from 'vitest';
import { hourAt, nextReadingMs, quietMs } from '../../../lambdas/domain/maintenance/hour.ts';

const HOUR = 3_600_000;
const hour = hourAt(Date.UTC(2026, 10, 1, 9, 30), 1);

describe('an hour', () => {
  it('begins and ends with the hour of the clock', () => {
    expect(hour).toEqual({ startMs: Date.UTC(2026, 10, 1, 9), endMs: Date.UTC(2026, 10, 1, 10) });
  });

  it('is divided by the schedule speed', () => {
    const { startMs, endMs } = hourAt(Date.UTC(2026, 10, 1, 9, 30), 300);

    expect(endMs - startMs).toBe(12_000);
    expect(quietMs(300)).toBe(3000);
    expect(hourAt(endMs, 300).startMs).toBe(endMs);
  });

  test.each([
    [0.25, 1],
    [0.99, 1],
    [1, 2],
    [1.5, 2],
    [2, 4],
    [3.9, 4],
    [4, 8],
    [100, 128],
    [511, 512],
    [512, null],
    [5000, null],
  ])('with open deliveries, read at the age of %f hours, is read again at %s', (age, next) => {
    const again = nextReadingMs(hour, hour.endMs + age * HOUR, 720);

    expect(again).toBe(next === null ? null : hour.endMs + next * HOUR);
  });
});
