import { describe, expect, it } from 'vitest';
import {
  DAY_MS,
  DAY_SECONDS,
  HOUR_MS,
  hasExpired,
  toSeconds,
  ttlSeconds,
} from '../../../lambdas/domain/foundation/time.ts';

describe('time arithmetic', () => {
  it('HOUR_MS is 3,600,000, DAY_MS is 86,400,000 and DAY_SECONDS is 86,400', () => {
    expect([HOUR_MS, DAY_MS, DAY_SECONDS]).toEqual([3_600_000, 86_400_000, 86_400]);
  });

  it.each([
    [0, 0],
    [1, 1],
    [1000, 1],
    [1001, 2],
  ])('toSeconds rounds %i ms up to %i s', (timeMs, seconds) => {
    expect(toSeconds(timeMs)).toBe(seconds);
  });

  it('ttlSeconds of 1,001 ms and 2 days is 2 s (rounded up) plus 2 days', () => {
    expect(ttlSeconds(1001, 2)).toBe(2 + 2 * 86_400);
  });

  it('hasExpired for a ttl of 2 s is false at 1,999 ms, and true at 2,000 ms and 2,001 ms', () => {
    expect([hasExpired(2, 1999), hasExpired(2, 2000), hasExpired(2, 2001)]).toEqual([false, true, true]);
  });
});
