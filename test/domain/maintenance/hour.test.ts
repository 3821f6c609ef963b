import { describe, expect, it, test } from 'vitest';
import { hourAt, nextReadingMs, quietMs } from '../../../lambdas/domain/maintenance/hour.ts';

const HOUR = 3_600_000;
const hour = hourAt(Date.UTC(2026, 10, 1, 9, 30), 1);

describe('an hour whose deliveries are counted', () => {
  it('begins and ends on the full hour: 9:30 lies in 9:00 to 10:00 UTC', () => {
    expect(hour).toEqual({ startMs: Date.UTC(2026, 10, 1, 9), endMs: Date.UTC(2026, 10, 1, 10) });
  });

  it('lasts 12 s, and is read 3 s after its end, when the stack divides every wait by 300', () => {
    const { startMs, endMs } = hourAt(Date.UTC(2026, 10, 1, 9, 30), 300);

    expect(endMs - startMs).toBe(12_000);
    expect(quietMs(300)).toBe(3000);
    expect(hourAt(endMs, 300).startMs).toBe(endMs);
  });

  test.each([
    [0.25, 'is read again at the age of 1 h', 1],
    [0.99, 'is read again at the age of 1 h', 1],
    [1, 'is read again at the age of 2 h', 2],
    [1.5, 'is read again at the age of 2 h', 2],
    [2, 'is read again at the age of 4 h', 4],
    [3.9, 'is read again at the age of 4 h', 4],
    [4, 'is read again at the age of 8 h', 8],
    [100, 'is read again at the age of 128 h', 128],
    [511, 'is read again at the age of 512 h', 512],
    [512, 'is not read again', null],
    [5000, 'is not read again', null],
  ])('with open deliveries and a retention of 720 h, read at the age of %f h, %s', (age, _reading, next) => {
    const again = nextReadingMs(hour, hour.endMs + age * HOUR, 720);

    expect(again).toBe(next === null ? null : hour.endMs + next * HOUR);
  });
});
