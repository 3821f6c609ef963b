/** Identifies a metric as CloudWatch does: by namespace, name and dimensions. */
export interface MetricName {
  readonly namespace: string;
  readonly name: string;
  readonly dimensions: Readonly<Record<string, string>>;
}

const plainStatistics = ['Sum', 'Average', 'Maximum', 'Minimum', 'SampleCount'] as const;
/** A statistic of CloudWatch; `p99` is the 99th percentile. */
export type Statistic = (typeof plainStatistics)[number] | `p${number}`;

export const isStatistic = (name: string | undefined): name is Statistic =>
  plainStatistics.some((statistic) => statistic === name) || /^p\d+(\.\d+)?$/.test(name ?? '');

/** A metric's values, one for each period, oldest first; `undefined` for a period without measurement. */
export type Series = readonly (number | undefined)[];

export interface MetricStore {
  record(metric: MetricName, values: readonly number[], atMs?: number): void;
  /**
   * Returns a metric's statistic for each of the last `count` periods that ended before `nowMs`. A period has `minutes`
   * minutes.
   */
  read(metric: MetricName, statistic: Statistic, minutes: number, count: number, nowMs: number): Series;
}

interface Summary {
  sum: number;
  count: number;
  max: number;
  min: number;
  /**
   * Number of measured values in each step of a logarithmic scale. A percentile needs no more, so memory stays bounded.
   */
  readonly steps: Map<number, number>;
}

/**
 * Width of one step of the logarithmic scale of values. Each step is 2 % wider than the step below it, so a percentile
 * is exact to 2 %.
 */
const STEP = Math.log(1.02);
const stepOf = (value: number): number => (value > 0 ? Math.ceil(Math.log(value) / STEP) : -Infinity);

const RETAINED_MINUTES = 24 * 60;

const keyOf = ({ namespace, name, dimensions }: MetricName): string =>
  JSON.stringify([namespace, name, Object.entries(dimensions).toSorted(([a], [b]) => (a < b ? -1 : 1))]);

const percentileOf = ({ steps, count, max }: Summary, percent: number): number => {
  let left = Math.max(1, Math.ceil((count * percent) / 100));
  for (const [step, stepCount] of [...steps].toSorted(([a], [b]) => a - b)) {
    left -= stepCount;
    if (left <= 0) return Math.min(max, Math.exp(step * STEP));
  }
  return max;
};

const reduceTo: Readonly<Record<(typeof plainStatistics)[number], (summary: Summary) => number>> = {
  Sum: ({ sum }) => sum,
  Average: ({ sum, count }) => sum / count,
  Maximum: ({ max }) => max,
  Minimum: ({ min }) => min,
  SampleCount: ({ count }) => count,
};

const reduce = (summary: Summary, statistic: Statistic): number => {
  const plain = plainStatistics.find((candidate) => candidate === statistic);
  return plain ? reduceTo[plain](summary) : percentileOf(summary, Number(statistic.slice(1)));
};

const emptySummary = (): Summary => ({ sum: 0, count: 0, max: -Infinity, min: Infinity, steps: new Map() });

const add = (summary: Summary, value: number): void => {
  summary.sum += value;
  summary.count++;
  summary.max = Math.max(summary.max, value);
  summary.min = Math.min(summary.min, value);
  summary.steps.set(stepOf(value), (summary.steps.get(stepOf(value)) ?? 0) + 1);
};

const merge = (whole: Summary, part: Summary): Summary => {
  for (const [step, stepCount] of part.steps) whole.steps.set(step, (whole.steps.get(step) ?? 0) + stepCount);
  return {
    ...whole,
    sum: whole.sum + part.sum,
    count: whole.count + part.count,
    max: Math.max(whole.max, part.max),
    min: Math.min(whole.min, part.min),
  };
};

/**
 * Creates a store in memory with one summary per metric and minute. At a higher speed, `minuteMs` is shorter than a
 * minute.
 */
export const createMetricStore = (minuteMs: number): MetricStore => {
  const all = new Map<string, Map<number, Summary>>();

  return {
    record(metric, values, atMs = Date.now()) {
      const key = keyOf(metric);
      const minutes = all.get(key) ?? new Map<number, Summary>();
      all.set(key, minutes);
      const minute = Math.floor(atMs / minuteMs);
      const summary = minutes.get(minute) ?? emptySummary();
      if (summary.count === 0) {
        minutes.set(minute, summary);
        if (minutes.size > RETAINED_MINUTES) minutes.delete(minutes.keys().next().value ?? minute);
      }
      for (const value of values) add(summary, value);
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
        return reduce(parts.reduce(merge, emptySummary()), statistic);
      });
    },
  };
};
