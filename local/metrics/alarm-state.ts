import type { AlarmDefinition } from './alarm-definitions.ts';
import type { MetricStore, Series } from './metric-store.ts';

export type AlarmState = 'OK' | 'ALARM' | 'INSUFFICIENT_DATA';

/** So many periods are looked back on for what is usual; with fewer than the least nothing can be unusual. */
const HISTORY = 60;
const LEAST_HISTORY = 3;

export interface Surroundings {
  readonly store: MetricStore;
  /** The account's quotas, by the resource they bound. */
  readonly quotas: Readonly<Record<string, number>>;
}

const seriesOf = (alarm: AlarmDefinition, count: number, nowMs: number, { store, quotas }: Surroundings): Series => {
  const read = (id: string): Series => {
    const query = alarm.queries.get(id);
    if (query) return store.read(query.metric, query.statistic, query.minutes, count, nowMs);
    const expression = alarm.expressions.get(id);
    if (!expression) throw new Error(`${alarm.name} names ${id}, which it does not have`);
    return expression({
      series: read,
      quota: (of) => quotas[alarm.queries.get(of)?.metric.dimensions.Resource ?? ''] ?? Number.NaN,
    });
  };
  return read(alarm.watched);
};

/** The upper edge of what is usual. CloudWatch trains a model of two weeks; here it is the mean of the last periods and their spread. */
const upperEdge = (past: Series, deviations: number): number | null => {
  const seen = past.filter((value) => value !== undefined);
  if (seen.length < LEAST_HISTORY) return null;
  const mean = seen.reduce((sum, value) => sum + value, 0) / seen.length;
  const variance = seen.reduce((sum, value) => sum + (value - mean) ** 2, 0) / seen.length;
  return mean + deviations * Math.sqrt(variance);
};

/** The state after the last whole period. https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/AlarmThatSendsEmail.html#alarm-evaluation */
export const evaluateAlarm = (
  alarm: AlarmDefinition,
  before: AlarmState,
  knownPeriods: number,
  nowMs: number,
  surroundings: Surroundings,
): AlarmState => {
  const { periods, toAlarm, comparison, threshold, missing } = alarm;
  const isBand = typeof threshold !== 'number';
  // What was before the start is not missing, it is not known.
  if (knownPeriods < periods) return before;
  const past = isBand ? Math.min(HISTORY, knownPeriods - periods) : 0;
  const all = seriesOf(alarm, periods + past, nowMs, surroundings);
  const edge = isBand ? upperEdge(all.slice(0, past), threshold.deviations) : threshold;
  const points = all.slice(past);
  if (missing === 'missing' && points.every((value) => value === undefined)) return 'INSUFFICIENT_DATA';
  if (missing === 'ignore' && points.some((value) => value === undefined)) return before;
  const breaching = points.filter((value) =>
    value === undefined ? missing === 'breaching' : edge !== null && comparison(value, edge),
  );
  return breaching.length >= toAlarm ? 'ALARM' : 'OK';
};
