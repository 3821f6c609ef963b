import type { AlarmDefinition } from './alarm-definitions.ts';
import type { MetricStore, Series } from './metric-store.ts';

export type AlarmState = 'OK' | 'ALARM' | 'INSUFFICIENT_DATA';

/** Number of past periods from which the usual value is computed. */
const HISTORY = 60;
/** With fewer measured periods there is no usual value, so nothing breaches. */
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
 * Upper edge of the usual values: the mean of the past periods plus this number of standard deviations. CloudWatch instead
 * trains a model on two weeks. Null if there is not enough history.
 */
const upperEdge = (past: Series, deviations: number): number | null => {
  const measured = past.filter((value) => value !== undefined);
  if (measured.length < LEAST_HISTORY) return null;
  const mean = measured.reduce((sum, value) => sum + value, 0) / measured.length;
  const variance = measured.reduce((sum, value) => sum + (value - mean) ** 2, 0) / measured.length;
  return mean + deviations * Math.sqrt(variance);
};

/**
 * The alarm's state after the last whole period before `nowMs`. `knownPeriods` is the number of periods since the start.
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
  // Minutes before the start are unknown, not missing data.
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
