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
  it('has hours and days in milliseconds and days in seconds', () => {
    expect([HOUR_MS, DAY_MS, DAY_SECONDS]).toEqual([3_600_000, 86_400_000, 86_400]);
  });

  it.each([
    [0, 0],
    [1, 1],
    [1000, 1],
    [1001, 2],
  ])('rounds %i milliseconds up to %i seconds', (timeMs, seconds) => {
    expect(toSeconds(timeMs)).toBe(seconds);
  });

  it('ttlSeconds gives a ttl that lies whole days after a time', () => {
    expect(ttlSeconds(1001, 2)).toBe(2 + 2 * 86_400);
  });

  it('hasExpired is true from the second that the ttl names', () => {
    expect([hasExpired(2, 1999), hasExpired(2, 2000), hasExpired(2, 2001)]).toEqual([false, true, true]);
  });
});
