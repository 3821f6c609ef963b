import { describe, expect, test } from 'vitest';
import { type AlarmDefinition, alarmDefinitions } from '../../../local/metrics/alarm-definitions.ts';
import { type AlarmState, evaluateAlarm } from '../../../local/metrics/alarm-state.ts';
import { createMetricSources } from '../../../local/metrics/metric-sources.ts';
import { createMetricStore } from '../../../local/metrics/metric-store.ts';
import type { Assembly } from '../../../local/template/template.ts';
import { assemblyOf as stackAssembly, synthesise } from '../../helpers/synthesised.ts';

const MINUTE_MS = 60_000;
const START = 1_000 * 5 * MINUTE_MS;
const metric = { Namespace: 'AWS/SQS', MetricName: 'ApproximateNumberOfMessagesVisible', Statistic: 'Maximum' };
const queue = { namespace: 'AWS/SQS', name: metric.MetricName, dimensions: {} };
const above = { ...metric, ComparisonOperator: 'GreaterThanThreshold', Threshold: 2, EvaluationPeriods: 1 };

const assemblyOf = (alarms: Readonly<Record<string, Record<string, unknown>>>): Assembly => ({
  stackName: 'test',
  resources: new Map(
    Object.entries(alarms).map(([name, properties]) => [
      name,
      { logicalId: name, name, type: 'AWS::CloudWatch::Alarm', properties },
    ]),
  ),
  outputs: {},
  bundle: () => '',
});

const definitionOf = (properties: Record<string, unknown>): AlarmDefinition => {
  const { alarms, unknown } = alarmDefinitions(assemblyOf({ test: properties }), (value) => value);
  if (!alarms[0]) throw new Error(unknown.join());
  return alarms[0];
};

/** The alarm's state after each minute. Each minute measures one value; `null` is a minute without a measurement. */
const statesAfter = (properties: Record<string, unknown>, values: readonly (number | null)[]): AlarmState[] => {
  const alarm = definitionOf(properties);
  const store = createMetricStore(MINUTE_MS);
  let state: AlarmState = 'OK';
  return values.map((value, minute) => {
    if (value !== null) store.record(queue, [value], START + minute * MINUTE_MS);
    const known = Math.floor((minute + 1) / alarm.minutes);
    state = evaluateAlarm(alarm, state, known, START + (minute + 1) * MINUTE_MS, { store, quotas: {} });
    return state;
  });
};

describe('an alarm on the local stack', () => {
  const [OK, ALARM] = ['OK', 'ALARM'] as const;

  test('with GreaterThanThreshold is OK at its threshold, ALARM above the threshold, and OK again below it', () => {
    expect(statesAfter(above, [2, 3, 0])).toEqual([OK, ALARM, OK]);
  });

  test('with EvaluationPeriods 3 is ALARM only after three breaching periods in a row, and OK after the next good period', () => {
    expect(statesAfter({ ...above, EvaluationPeriods: 3 }, [5, 5, 0, 5, 5, 5, 0])).toEqual([
      OK,
      OK,
      OK,
      OK,
      OK,
      ALARM,
      OK,
    ]);
  });

  test('with DatapointsToAlarm 2 and EvaluationPeriods 3 is ALARM only while two of the last three periods breach', () => {
    const twoOfThree = { ...above, EvaluationPeriods: 3, DatapointsToAlarm: 2 };

    expect(statesAfter(twoOfThree, [5, 0, 5, 0, 0])).toEqual([OK, OK, ALARM, OK, OK]);
  });

  test.each([
    ['ALARM', 'breaching', [OK, ALARM, ALARM]],
    ['OK', 'notBreaching', [OK, OK, OK]],
    ['OK', 'ignore', [OK, OK, OK]],
    ['INSUFFICIENT_DATA', 'missing', [OK, 'INSUFFICIENT_DATA', 'INSUFFICIENT_DATA']],
  ])('is %s in two minutes without a measurement when TreatMissingData is “%s”', (_, TreatMissingData, expected) => {
    expect(statesAfter({ ...above, TreatMissingData }, [1, null, null])).toEqual(expected);
  });

  test('with TreatMissingData “breaching” and EvaluationPeriods 3 is ALARM only after the third minute without a measurement', () => {
    const missed = { ...above, TreatMissingData: 'breaching', EvaluationPeriods: 3 };

    expect(statesAfter(missed, [null, null, null])).toEqual([OK, OK, ALARM]);
  });

  test('with an anomaly band is ALARM at 80 after values up to 2, but not at a first value of 100 and not at 80 after that 100', () => {
    const band = {
      Metrics: [
        { Id: 'm', MetricStat: { Metric: metric, Stat: 'Maximum', Period: 60 }, ReturnData: true },
        { Id: 'band', Expression: 'ANOMALY_DETECTION_BAND(m, 2)', ReturnData: true },
      ],
      ThresholdMetricId: 'band',
      ComparisonOperator: 'GreaterThanUpperThreshold',
      EvaluationPeriods: 1,
      TreatMissingData: 'notBreaching',
    };

    expect(statesAfter(band, [100, 0, 1, 2, 1, 80, 1])).toEqual([OK, OK, OK, OK, OK, OK, OK]);
    expect(statesAfter(band, [1, 0, 2, 1, 1, 80, 1])).toEqual([OK, OK, OK, OK, OK, ALARM, OK]);
  });

  test('is reported by name when its statistic, namespace or expression is not supported, and another alarm is still returned', () => {
    const { alarms, unknown } = alarmDefinitions(
      assemblyOf({
        trimmed: { ...above, Statistic: undefined, ExtendedStatistic: 'tm99' },
        foreign: { ...above, Namespace: 'AWS/EC2' },
        rate: { ...above, Metrics: [{ Id: 'e', Expression: 'RATE(m)' }] },
        fine: above,
      }),
      (value) => value,
    );

    expect(alarms.map(({ name }) => name)).toEqual(['fine']);
    expect(unknown.map((problem) => problem.split(':')[0])).toEqual(['trimmed', 'foreign', 'rate']);
  });
});

test('every alarm of the synthesised stack, among them dead-rate, can be evaluated on the local stack', () => {
  const { alarms, unknown } = alarmDefinitions(stackAssembly(synthesise()), (value) => value);

  expect(unknown).toEqual([]);
  expect(alarms.map(({ name }) => name)).toContain('dead-rate');
});

test('the metric store computes p1 and p100 exactly and p50 and p99 to 5 percent from the values of two minutes', () => {
  const store = createMetricStore(MINUTE_MS);
  const quick = Array.from({ length: 96 }, () => 200);
  store.record(queue, quick, START);
  store.record(queue, [90_000, 91_000, 0], START + MINUTE_MS);

  const read = (statistic: 'p99' | 'p50' | 'p100' | 'p1') =>
    store.read(queue, statistic, 5, 1, START + 5 * MINUTE_MS)[0] ?? Number.NaN;

  expect(read('p1')).toBe(0);
  expect(read('p50') / 200).toBeCloseTo(1, 1);
  expect(read('p99') / 90_000).toBeCloseTo(1, 1);
  expect(read('p100')).toBe(91_000);
});

test('the local stack records the metrics in a function’s log line, and multiplies milliseconds by the --speed it runs at', () => {
  const store = createMetricStore(MINUTE_MS);
  const nowMs = Date.now();
  const text = JSON.stringify({
    _aws: {
      CloudWatchMetrics: [
        {
          Namespace: 'PassPost',
          Dimensions: [['service'], ['service', 'profile']],
          Metrics: [
            { Name: 'Waited', Unit: 'Milliseconds' },
            { Name: 'Held', Unit: 'Count' },
          ],
        },
      ],
    },
    service: 'passpost-test',
    profile: 'inpost',
    Waited: [10, 30],
    Held: 2,
  });

  createMetricSources(store, 60, () => []).line({ functionName: 'deliver', text });

  const read = (name: string, dimensions: Record<string, string>) =>
    store.read({ namespace: 'PassPost', name, dimensions }, 'Sum', 1, 1, nowMs + MINUTE_MS)[0];
  expect(read('Waited', { service: 'passpost-test' })).toBe(40 * 60);
  expect(read('Held', { profile: 'inpost', service: 'passpost-test' })).toBe(2);
});
