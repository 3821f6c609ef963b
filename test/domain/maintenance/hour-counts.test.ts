import { describe, expect, it, test } from 'vitest';
import type { StoredDelivery } from '../../../lambdas/domain/deliveries/delivery.ts';
import { newDelivery } from '../../../lambdas/domain/deliveries/delivery.ts';
import { drawId } from '../../../lambdas/domain/foundation/id.ts';
import { createHourCount, percentileMs } from '../../../lambdas/domain/maintenance/hour-counts.ts';
import { anAttempt } from '../../helpers/events-api.ts';
import { anEvent } from '../../helpers/virtual-engine.ts';

const aDelivery = (over: Partial<StoredDelivery> = {}): StoredDelivery => ({
  ...newDelivery(anEvent(), drawId('whk', 0)),
  ...over,
});
const lasting = (ms: number) => aDelivery({ last: anAttempt({ duration_ms: ms }) });
const countOf = (deliveries: readonly StoredDelivery[]) => {
  const count = createHourCount();
  for (const delivery of deliveries) count.add(delivery);
  return count.counts();
};

describe("an hour's delivery counts", () => {
  it('of seven deliveries are 2 delivered, 1 dead, 3 open (pending, failed or held), 1 held and 9 refused attempts, with the times of the last success and failure', () => {
    const counts = countOf([
      aDelivery({ status: 'delivered', settled_at: 50 }),
      aDelivery({ status: 'delivered', settled_at: 70, attempts_refused: 2, refused_at: 60 }),
      aDelivery({ status: 'dead', settled_at: 90, attempts_refused: 6, refused_at: 90 }),
      aDelivery({ status: 'failed', attempts_refused: 1, refused_at: 80 }),
      aDelivery({ status: 'pending' }),
      aDelivery({ status: 'held' }),
      aDelivery({ status: 'cancelled' }),
    ]);

    expect(counts).toMatchObject({ deliveries: 7, delivered: 2, dead: 1, refused: 9, open: 3, held: 1 });
    expect(counts).toMatchObject({ last_success_at: 70, last_failure_at: 90 });
  });

  it('of test deliveries have no delivered, dead or refused, no times and no durations, but the number of open ones', () => {
    const counts = countOf([
      aDelivery({ test: true, status: 'delivered', settled_at: 50, last: anAttempt({ error: null }) }),
      aDelivery({ test: true, status: 'dead', settled_at: 90, attempts_refused: 6, refused_at: 90 }),
      aDelivery({ test: true, status: 'pending' }),
    ]);

    expect(counts).toEqual({ ...countOf([]), deliveries: 3, open: 1 });
  });

  it('of delivered deliveries that are redelivered count them as delivered and as open, and as held if they are held', () => {
    const delivered = { status: 'delivered', settled_at: 50 } as const;

    const counts = countOf([
      aDelivery({ ...delivered, redelivery: 'waiting' }),
      aDelivery({ ...delivered, redelivery: 'held' }),
      aDelivery({ ...delivered, redelivery: null }),
    ]);

    expect(counts).toMatchObject({ delivered: 3, dead: 0, open: 2, held: 1 });
  });

  it('of four deliveries are equal whether counted without a break or continued from counts stored as JSON', () => {
    const deliveries = [3, 30, 300, 3000].map(lasting);
    const half = JSON.parse(JSON.stringify(countOf(deliveries.slice(0, 2))));

    const rest = createHourCount(half);
    for (const delivery of deliveries.slice(2)) rest.add(delivery);

    expect(rest.counts()).toEqual(countOf(deliveries));
  });

  test.each([0, 1, 2, 5, 9, 10])(
    'of one delivery whose last attempt took %d ms have exactly this median, but at least 1 ms',
    (ms) => {
      expect(percentileMs(countOf([lasting(ms)]), 0.5)).toBe(Math.max(1, ms));
    },
  );

  test.each([11, 42, 100, 999, 10_000, 30_000])(
    'of one delivery whose last attempt took %d ms have a 95th percentile within 5 percent of this duration',
    (ms) => {
      const percentile = percentileMs(countOf([lasting(ms)]), 0.95) ?? 0;

      expect(Math.abs(percentile - ms) / ms).toBeLessThan(0.05);
    },
  );

  it('have fewer than 120 duration buckets and right percentiles for 30,000 deliveries', () => {
    const counts = countOf(Array.from({ length: 30_000 }, (_, ms) => lasting(ms)));

    expect(Object.keys(counts.durations).length).toBeLessThan(120);
    expect((percentileMs(counts, 0.5) ?? 0) / 15_000).toBeCloseTo(1, 1);
    expect((percentileMs(counts, 0.95) ?? 0) / 28_500).toBeCloseTo(1, 1);
    expect(percentileMs(countOf([]), 0.5)).toBeNull();
  });
});
