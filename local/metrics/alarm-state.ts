import type { AlarmDefinition } from './alarm-definitions.ts';
import type { MetricStore, Series } from './metric-store.ts';

export type AlarmState = 'OK' | 'ALARM' | 'INSUFFICIENT_DATA';

/** The maximum number of past periods from which the usual value for an anomaly alarm is computed. */
const HISTORY = 60;
/**
 * The fewest measured past periods that give a usual value. With fewer, no measured value breaches an anomaly alarm.
 */
const LEAST_HISTORY = 3;

export interface AlarmInputs {
  readonly store: MetricStore;
  /** The account's quotas by resource, for example `ConcurrentExecutions`. */
  readonly quotas: Readonly<Record<string, number>>;
}

const seriesOf = (alarm: AlarmDefinition, count: number, nowMs: number, { store, quotas }: AlarmInputs): Series => {
  const read = (id: string): Series => {
    const query = alarm.queries.get(id);
    if (query) return store.read(query.metric, query.statistic, query.minutes, count, nowMs);
    const expression = alarm.expressions.get(id);
    if (!expression) throw new Error(`${alarm.name} names ${id}, which it does not have`);
    return expression({
      series: read,
      quota: (queryId) => quotas[alarm.queries.get(queryId)?.metric.dimensions.Resource ?? ''] ?? Number.NaN,
    });
  };
  return read(alarm.watched);
};

/**
 * Returns the upper edge of the usual values: the mean of the past periods plus `deviations` standard deviations, or
 * null if there is not enough history. CloudWatch instead trains a model on two weeks.
 */
const upperEdge = (past: Series, deviations: number): number | null => {
  const measured = past.filter((value) => value !== undefined);
  if (measured.length < LEAST_HISTORY) return null;
  const mean = measured.reduce((sum, value) => sum + value, 0) / measured.length;
  const variance = measured.reduce((sum, value) => sum + (value - mean) ** 2, 0) / measured.length;
  return mean + deviations * Math.sqrt(variance);
};

/**
 * Returns the alarm's state after the last whole period before `nowMs`. `before` is the alarm's current state,
 * `knownPeriods` the number of periods since the stack's start.
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/AlarmThatSendsEmail.html#alarm-evaluation
 */
export const evaluateAlarm = (
  alarm: AlarmDefinition,
  before: AlarmState,
  knownPeriods: number,
  nowMs: number,
  inputs: AlarmInputs,
): AlarmState => {
  const { periods, toAlarm, comparison, threshold, missing } = alarm;
  const isBand = typeof threshold !== 'number';
  // Periods before the stack's start are unknown, not missing data. The state stays until enough periods are known.
  if (knownPeriods < periods) return before;
  const past = isBand ? Math.min(HISTORY, knownPeriods - periods) : 0;
  const all = seriesOf(alarm, periods + past, nowMs, inputs);
  const edge = isBand ? upperEdge(all.slice(0, past), threshold.deviations) : threshold;
  const points = all.slice(past);
  if (missing === 'missing' && points.every((value) => value === undefined)) return 'INSUFFICIENT_DATA';
  if (missing === 'ignore' && points.some((value) => value === undefined)) return before;
  const breaching = points.filter((value) =>
    value === undefined ? missing === 'breaching' : edge !== null && comparison(value, edge),
  );
  return breaching.length >= toAlarm ? 'ALARM' : 'OK';
};
