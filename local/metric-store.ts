/** A metric as an alarm names it. */
export interface MetricName {
  readonly namespace: string;
  readonly name: string;
  readonly dimensions: Readonly<Record<string, string>>;
}

export const statistics = ['Sum', 'Average', 'Maximum', 'Minimum', 'SampleCount'] as const;
export type Statistic = (typeof statistics)[number];

/** One value for each period, oldest first; `undefined` where nothing was measured. */
export type Series = readonly (number | undefined)[];

export interface MetricStore {
  record(metric: MetricName, values: readonly number[], atMs?: number): void;
  /** The last `count` periods of so many minutes that were over by then. */
  read(metric: MetricName, statistic: Statistic, minutes: number, count: number, nowMs: number): Series;
}

interface Summary {
  sum: number;
  count: number;
  most: number;
  least: number;
}

const KEPT_MINUTES = 24 * 60;

const keyOf = ({ namespace, name, dimensions }: MetricName): string =>
  JSON.stringify([namespace, name, Object.entries(dimensions).toSorted(([a], [b]) => (a < b ? -1 : 1))]);

const reduceTo: Readonly<Record<Statistic, (summary: Summary) => number>> = {
  Sum: ({ sum }) => sum,
  Average: ({ sum, count }) => sum / count,
  Maximum: ({ most }) => most,
  Minimum: ({ least }) => least,
  SampleCount: ({ count }) => count,
};

/** What is measured on this machine, summed up minute by minute. A minute lasts as long as the speed makes it. */
export const createMetricStore = (minuteMs: number): MetricStore => {
  const all = new Map<string, Map<number, Summary>>();

  return {
    record(metric, values, atMs = Date.now()) {
      const key = keyOf(metric);
      const minutes = all.get(key) ?? new Map<number, Summary>();
      all.set(key, minutes);
      const minute = Math.floor(atMs / minuteMs);
      const summary = minutes.get(minute) ?? { sum: 0, count: 0, most: -Infinity, least: Infinity };
      if (summary.count === 0) {
        minutes.set(minute, summary);
        if (minutes.size > KEPT_MINUTES) minutes.delete(minutes.keys().next().value ?? minute);
      }
      for (const value of values) {
        summary.sum += value;
        summary.count++;
        summary.most = Math.max(summary.most, value);
        summary.least = Math.min(summary.least, value);
      }
    },

    read(metric, statistic, minutes, count, nowMs) {
      const measured = all.get(keyOf(metric));
      const end = Math.floor(nowMs / minuteMs / minutes) * minutes;
      return Array.from({ length: count }, (_, index) => {
        const from = end - (count - index) * minutes;
        const parts = Array.from({ length: minutes }, (_, minute) => measured?.get(from + minute)).filter(
          (part) => part !== undefined,
        );
        if (parts.length === 0) return undefined;
        return reduceTo[statistic]({
          sum: parts.reduce((total, part) => total + part.sum, 0),
          count: parts.reduce((total, part) => total + part.count, 0),
          most: Math.max(...parts.map((part) => part.most)),
          least: Math.min(...parts.map((part) => part.least)),
        });
      });
    },
  };
};
