import {
  Alarm,
  type AlarmProps,
  AnomalyDetectionAlarm,
  ComparisonOperator,
  type IMetric,
  MathExpression,
  Metric,
  Stats,
  TreatMissingData,
} from 'aws-cdk-lib/aws-cloudwatch';
import { Duration } from 'aws-cdk-lib/core';
import type { Construct } from 'constructs';
import { type AlarmId, type AlarmRule, alarmIds, alarmRules } from './alarm-rules.ts';
import type { Delivery } from './delivery.ts';
import type { FanOut } from './fan-out.ts';
import { maximum, ownMetric, sum } from './metrics.ts';
import type { PublicApi } from './public-api.ts';

/** The parts of the stack whose metrics the alarms and the dashboard read. */
export interface MonitoredParts {
  readonly delivery: Delivery;
  readonly fanOut: FanOut;
  readonly api: PublicApi;
}

export interface AlarmOptions {
  /** Whether alarms on metric math are created. An emulator refuses metric math. */
  readonly withMath: boolean;
  /** Concurrent executions that are reserved for the engine, so that the other functions cannot use them. */
  readonly engineConcurrency: number;
  /** Address of the runbook page, without an anchor. */
  readonly runbookUrl: string;
}

const everyFiveMinutes = { ...sum, period: Duration.minutes(5) };

/** Creates the alarm of every rule in lib/alarm-rules.ts. */
export const createAlarms = (
  scope: Construct,
  parts: MonitoredParts,
  { withMath, engineConcurrency, runbookUrl }: AlarmOptions,
): Alarm[] => {
  const metrics = alarmMetrics(scope, parts, engineConcurrency);
  return alarmIds
    .filter((id) => withMath || !(metrics[id] instanceof MathExpression))
    .map((id) => createAlarm(scope, id, metrics[id], `${alarmRules[id].description} ${runbookUrl}#${id}`));
};

const createAlarm = (scope: Construct, id: AlarmId, metric: IMetric, alarmDescription: string): Alarm => {
  const { above, below, periods, outOf = periods, isSilenceBreaching }: AlarmRule = alarmRules[id];
  const common = {
    metric,
    evaluationPeriods: outOf,
    datapointsToAlarm: periods,
    treatMissingData: isSilenceBreaching ? TreatMissingData.BREACHING : TreatMissingData.NOT_BREACHING,
    alarmDescription,
  } satisfies Partial<AlarmProps>;
  if (above === undefined && below === undefined) {
    const comparisonOperator = ComparisonOperator.GREATER_THAN_UPPER_THRESHOLD;
    return new AnomalyDetectionAlarm(scope, id, { ...common, stdDevs: 3, comparisonOperator });
  }
  return new Alarm(scope, id, {
    ...common,
    threshold: above ?? below ?? 0,
    comparisonOperator:
      below === undefined ? ComparisonOperator.GREATER_THAN_THRESHOLD : ComparisonOperator.LESS_THAN_THRESHOLD,
  });
};

/** Returns the metric that each alarm reads, with its period: one minute unless the metric names another period. */
const alarmMetrics = (
  scope: Construct,
  { delivery, fanOut, api }: MonitoredParts,
  engineConcurrency: number,
): Readonly<Record<AlarmId, IMetric>> => {
  const { deliver, due, rollUp, deliveries, slow, deadLetters } = delivery;
  return {
    'dead-letters': deadLetters.metricApproximateNumberOfMessagesVisible(maximum),
    failures: fanOut.failures.metricApproximateNumberOfMessagesVisible(maximum),
    'iterator-age': fanOut.fanOut.metric('IteratorAge', maximum),
    'stream-unread': fanOut.fanOut.metricInvocations(everyFiveMinutes),
    'fan-out-errors': fanOut.fanOut.metricErrors(sum),
    'due-errors': due.metricErrors(sum),
    'roll-up-errors': rollUp.metricErrors({ ...sum, period: Duration.minutes(15) }),
    'deliver-errors': deliver.metricErrors(sum),
    // The metric `failed` counts single messages that failed although their invocation did not.
    'handed-back': ownMetric(scope, 'failed', sum),
    'keyring-unreadable': ownMetric(scope, 'keyringUnreadable', sum),
    'tick-missed': due.metricInvocations(sum),
    'roll-up-missed': rollUp.metricInvocations(everyFiveMinutes),
    'oldest-owed': ownMetric(scope, 'oldestOwedSeconds', maximum),
    // The alarm `first-attempts` reads the 99th percentile of the time from an event to its first POST, because an
    // average would hide one slow account behind many fast accounts. CloudWatch computes percentiles of a metric that a
    // metric filter writes if no value is negative, and the filter admits none.
    // https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/MonitoringLogData.html
    'first-attempts': ownMetric(scope, 'firstAttemptMs', { period: sum.period, statistic: Stats.percentile(99) }),
    'api-errors': api.stage.metricServerError(sum),
    'unauthorized-calls': ownMetric(scope, 'unauthorized', sum),
    // The alarm watches only deliver, because only deliver's concurrency grows with the traffic. Throttles of the
    // fan-out would raise the iterator age.
    throttles: deliver.metricThrottles(sum),
    'busy-tables': ownMetric(scope, 'throttles', sum),
    concurrency: usedConcurrencyPercent(engineConcurrency),
    'deliveries-waiting': deliveries.metricApproximateAgeOfOldestMessage(maximum),
    'slow-waiting': slow.metricApproximateAgeOfOldestMessage(maximum),
    'in-flight': new MathExpression({
      expression: 'MAX([FILL(deliveries, 0), FILL(slow, 0)])',
      usingMetrics: {
        deliveries: deliveries.metricApproximateNumberOfMessagesNotVisible(maximum),
        slow: slow.metricApproximateNumberOfMessagesNotVisible(maximum),
      },
      period: maximum.period,
    }),
    'dead-rate': deadPercent(scope),
  };
};

/**
 * Returns the used percentage of the account's concurrent executions without those that are reserved for the engine. With
 * the whole quota, 80 % would be reached only when calls of the API can get no more executions.
 */
const usedConcurrencyPercent = (engineConcurrency: number): MathExpression =>
  new MathExpression({
    expression:
      engineConcurrency === 0
        ? '100 * used / SERVICE_QUOTA(used)'
        : `100 * used / (SERVICE_QUOTA(used) - ${engineConcurrency})`,
    usingMetrics: {
      used: new Metric({
        namespace: 'AWS/Usage',
        metricName: 'ResourceCount',
        dimensionsMap: { Service: 'Lambda', Resource: 'ConcurrentExecutions', Type: 'Resource', Class: 'None' },
        ...maximum,
      }),
    },
    period: maximum.period,
  });

/**
 * The percentage of dead deliveries below which `dead-rate` stays OK. Where nothing dies for weeks, CloudWatch learns a
 * band of width zero, and without this floor five dead deliveries of a million would be outside the band.
 */
export const MIN_DEAD_PERCENT = 5;

/**
 * Returns the percentage of ended deliveries that are dead or gone. Fewer than five such deliveries in five minutes, or
 * a percentage under the floor, count as 0, so that the alarm does not flap where little is sent or little fails.
 */
const deadPercent = (scope: Construct): MathExpression => {
  const dead = '(FILL(dead, 0) + FILL(gone, 0))';
  const ended = `(${dead} + FILL(delivered, 0))`;
  return new MathExpression({
    expression: `IF((${dead} >= 5) * (100 * ${dead} >= ${MIN_DEAD_PERCENT} * ${ended}), 100 * ${dead} / ${ended}, 0)`,
    usingMetrics: {
      dead: ownMetric(scope, 'dead', everyFiveMinutes),
      gone: ownMetric(scope, 'gone', everyFiveMinutes),
      delivered: ownMetric(scope, 'delivered', everyFiveMinutes),
    },
    label: 'deliveries given up, %',
    period: everyFiveMinutes.period,
  });
};
