import * as z from 'zod';
import type { StoredDelivery } from '../deliveries/delivery.ts';

/** What became of an hour's deliveries, in a bounded space however many they are: it can be put aside and gone on with. */
export const hourCountsSchema = z.object({
  deliveries: z.number(),
  delivered: z.number(),
  dead: z.number(),
  /** Attempts that were refused. */
  refused: z.number(),
  /** Deliveries that still owe an attempt, or would if their webhook were enabled. */
  open: z.number(),
  held: z.number(),
  last_success_at: z.number().nullable(),
  last_failure_at: z.number().nullable(),
  /** How long receivers took for each delivery's last attempt: how many by bucket. */
  durations: z.record(z.string(), z.number()),
});
export type HourCounts = z.infer<typeof hourCountsSchema>;

const none: HourCounts = {
  deliveries: 0,
  delivered: 0,
  dead: 0,
  refused: 0,
  open: 0,
  held: 0,
  last_success_at: null,
  last_failure_at: null,
  durations: {},
};

// Each bucket ends a tenth above the one before: some 110 of them reach to 30 s, and a percentile is exact up to 10 ms
// and within 5 % beyond.
const GROWTH = Math.log(1.1);
const bucketOf = (ms: number): number => (ms <= 1 ? 0 : Math.ceil(Math.log(ms) / GROWTH));
const middleOf = (bucket: number): number => Math.round(Math.exp(Math.max(0, bucket - 0.5) * GROWTH));

/** The duration that this share of the deliveries stayed within; `null` where none was tried. */
export const percentileMs = ({ durations }: Pick<HourCounts, 'durations'>, share: number): number | null => {
  const buckets = Object.entries(durations)
    .map(([bucket, count]) => ({ bucket: Number(bucket), count }))
    .toSorted((a, b) => a.bucket - b.bucket);
  let left = buckets.reduce((sum, { count }) => sum + count, 0) * share;
  for (const { bucket, count } of buckets) {
    left -= count;
    if (left <= 0) return middleOf(bucket);
  }
  return null;
};

const OPEN: ReadonlySet<string> = new Set(['pending', 'failed', 'held']);

const latest = (a: number | null, b: number | null | undefined): number | null =>
  b === null || b === undefined ? a : Math.max(a ?? b, b);

/** Counts deliveries one by one, going on from counts that were put aside. */
export const createHourCount = (from: HourCounts = none) => {
  const counts = { ...from, durations: { ...from.durations } };
  return {
    add({ status, settled_at, last, attempts_refused = 0, refused_at }: StoredDelivery): void {
      counts.deliveries++;
      if (status === 'delivered') {
        counts.delivered++;
        counts.last_success_at = latest(counts.last_success_at, settled_at);
      }
      if (status === 'dead') counts.dead++;
      if (status === 'held') counts.held++;
      if (OPEN.has(status)) counts.open++;
      counts.refused += attempts_refused;
      counts.last_failure_at = latest(counts.last_failure_at, refused_at);
      if (last) {
        const bucket = bucketOf(last.duration_ms);
        counts.durations[bucket] = (counts.durations[bucket] ?? 0) + 1;
      }
    },
    counts: (): HourCounts => counts,
  };
};
