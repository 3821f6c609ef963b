import {
  Alarm,
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
import type { Measure } from '../lambdas/runtime/metric-names.ts';
import type { Delivery } from './delivery.ts';
import type { FanOut } from './fan-out.ts';
import { maximum, ownMetric, sum } from './metrics.ts';
import type { PublicApi } from './public-api.ts';

export interface Watched {
  readonly delivery: Delivery;
  readonly fanOut: FanOut;
  readonly api: PublicApi;
}

interface Watch {
  readonly metric: IMetric;
  /** Alarms above this, or below that. */
  readonly above?: number;
  readonly below?: number;
  /** So many of the metric's periods in a row, or so many of so many: what happens once every few minutes is never in a row. */
  readonly periods: number;
  readonly of?: number;
  /** What no number means. An idle system sends none, and that is well. */
  readonly missing?: TreatMissingData;
  readonly says: string;
}

/** An SQS queue refuses to hand out more than 120,000 at once, an account of Lambda to run more than its quota: at 80 % there is time to act. */
const MOST_IN_FLIGHT = 96_000;
const MOST_USED_PERCENT = 80;
/** A first attempt is not waiting because it was delayed: SQS delays by 900 s at most. */
const LONGEST_WAIT_SECONDS = 1_800;
/**
 * A message that we could not work on comes back after its visibility timeout of 270 s, and a quiet API is called once every
 * few minutes: with each of them failing, these periods hold three.
 */
const lasting = { periods: 3, of: 15 } as const;

/** One alarm for each way to lose or delay a delivery; each has its section in docs/runbook.md. */
export const createAlarms = (
  scope: Construct,
  { delivery, fanOut, api }: Watched,
  { withMath, runbookUrl }: { readonly withMath: boolean; readonly runbookUrl: string },
): Alarm[] => {
  const { deliver, due, rollUp } = delivery;
  const own = (measure: Measure, options = sum): Metric => ownMetric(scope, measure, options);
  const alarms: Alarm[] = [];

  const watch = (id: string, { metric, above, below, periods, of = periods, missing, says }: Watch): void => {
    if (metric instanceof MathExpression && !withMath) return;
    const alarm = new Alarm(scope, id, {
      metric,
      threshold: above ?? below ?? 0,
      evaluationPeriods: of,
      datapointsToAlarm: periods,
      comparisonOperator:
        below === undefined ? ComparisonOperator.GREATER_THAN_THRESHOLD : ComparisonOperator.LESS_THAN_THRESHOLD,
      treatMissingData: missing ?? TreatMissingData.NOT_BREACHING,
      alarmDescription: `${says} ${runbookUrl}#${id}`,
    });
    alarms.push(alarm);
  };

  watch('dead-letters', {
    metric: delivery.deadLetters.metricApproximateNumberOfMessagesVisible(maximum),
    above: 0,
    periods: 1,
    says: 'A delivery message could not be worked on however often it was tried.',
  });
  watch('failures', {
    metric: fanOut.failures.metricApproximateNumberOfMessagesVisible(maximum),
    above: 0,
    periods: 1,
    says: 'A change in the domain table could not be understood by the fan-out.',
  });
  watch('iterator-age', {
    metric: fanOut.fanOut.metric('IteratorAge', maximum),
    above: 60_000,
    periods: 3,
    says: 'Changes wait for more than a minute before they become events.',
  });
  watch('stream-unread', {
    metric: fanOut.fanOut.metricInvocations({ ...sum, period: Duration.minutes(5) }),
    below: 1,
    periods: 3,
    // The roll-up's ticks put something there for it: nothing at all is what this is about.
    missing: TreatMissingData.BREACHING,
    says: "Nobody reads the domain table's stream: what happens does not become events, and is lost after 24 hours.",
  });
  for (const fn of [fanOut.fanOut, due]) {
    watch(`${fn.node.id}-errors`, {
      metric: fn.metricErrors(sum),
      above: 0,
      periods: 3,
      of: 5,
      says: `The function ${fn.node.id} fails, minute after minute.`,
    });
  }
  watch('roll-up-errors', {
    // Two of three ticks.
    metric: rollUp.metricErrors({ ...sum, period: Duration.minutes(15) }),
    above: 1,
    periods: 1,
    says: 'The function roll-up fails, tick after tick.',
  });
  watch('deliver-errors', {
    metric: deliver.metricErrors(sum),
    above: 0,
    ...lasting,
    says: 'The function deliver fails or is killed, time and again.',
  });
  watch('handed-back', {
    // What it could not do for one message, without failing itself.
    metric: own('failed'),
    above: 0,
    ...lasting,
    says: 'The function deliver hands messages back, time and again.',
  });
  watch('keyring-unreadable', {
    metric: own('keyringUnreadable'),
    above: 0,
    periods: 2,
    // A message alone asks for it every 270 s.
    of: 10,
    says: 'The keyring cannot be read: soon nothing can be signed.',
  });
  watch('tick-missed', {
    metric: due.metricInvocations(sum),
    below: 1,
    periods: 3,
    // No number is the very thing it is about.
    missing: TreatMissingData.BREACHING,
    says: "The minute's tick does not come: long waits and lost messages are not looked after.",
  });
  watch('roll-up-missed', {
    metric: rollUp.metricInvocations({ ...sum, period: Duration.minutes(5) }),
    below: 1,
    periods: 3,
    missing: TreatMissingData.BREACHING,
    says: 'The roll-up does not come: a first attempt that got lost is not found, hours are not counted.',
  });
  watch('oldest-owed', {
    metric: own('oldestOwedSeconds', maximum),
    above: 900,
    periods: 3,
    says: 'A delivery has been due for more than a quarter of an hour.',
  });
  watch('first-attempts', {
    // An average would hide the one account that waits behind the many that do not.
    metric: own('firstAttemptMs', { period: sum.period, statistic: Stats.percentile(99) }),
    above: 60_000,
    periods: 5,
    of: 15,
    says: 'Events wait for more than a minute before they are first sent.',
  });
  watch('api-errors', {
    metric: api.stage.metricServerError(sum),
    above: 0,
    ...lasting,
    says: 'The API answers with 5xx.',
  });
  watch('throttles', {
    // The one that grows with the work; the fan-out's would show as iterator age.
    metric: deliver.metricThrottles(sum),
    above: 0,
    ...lasting,
    says: "Lambda refuses to start the deliver function: the account's concurrency is used up.",
  });
  watch('busy-tables', {
    metric: own('throttles'),
    above: 10,
    periods: 5,
    says: 'AWS refuses calls of the functions for want of capacity, minute after minute.',
  });
  watch('concurrency', {
    metric: new MathExpression({
      expression: '100 * used / SERVICE_QUOTA(used)',
      usingMetrics: {
        used: new Metric({
          namespace: 'AWS/Usage',
          metricName: 'ResourceCount',
          dimensionsMap: { Service: 'Lambda', Resource: 'ConcurrentExecutions', Type: 'Resource', Class: 'None' },
          ...maximum,
        }),
      },
      period: maximum.period,
    }),
    above: MOST_USED_PERCENT,
    periods: 3,
    says: "More than four fifths of the account's concurrent executions are in use.",
  });
  for (const [id, queue] of [
    ['deliveries-waiting', delivery.deliveries],
    ['slow-waiting', delivery.slow],
  ] as const) {
    watch(id, {
      metric: queue.metricApproximateAgeOfOldestMessage(maximum),
      above: LONGEST_WAIT_SECONDS,
      periods: 3,
      says: `Messages of the queue ${queue.node.id} wait for more than half an hour: nobody takes them, or too slowly.`,
    });
  }
  watch('in-flight', {
    metric: new MathExpression({
      expression: 'MAX([FILL(deliveries, 0), FILL(slow, 0)])',
      usingMetrics: {
        deliveries: delivery.deliveries.metricApproximateNumberOfMessagesNotVisible(maximum),
        slow: delivery.slow.metricApproximateNumberOfMessagesNotVisible(maximum),
      },
      period: maximum.period,
    }),
    above: MOST_IN_FLIGHT,
    periods: 3,
    // SQS tells late, and a minute that it has not told of yet is filled with 0.
    of: 10,
    says: 'A queue has more than four fifths of the messages in flight that SQS allows.',
  });
  if (withMath) alarms.push(deadRate(scope, own, runbookUrl));
  return alarms;
};

/**
 * Deliveries given up, as a share of those that ended, against what is usual here. A handful is no rate: below five in
 * five minutes the share counts as none, so nothing flaps where little or nothing is sent.
 */
const deadRate = (
  scope: Construct,
  own: (measure: Measure, options: typeof sum) => Metric,
  runbookUrl: string,
): Alarm => {
  const period = Duration.minutes(5);
  const fiveMinutes = { period, statistic: Stats.SUM };
  const dead = '(FILL(dead, 0) + FILL(gone, 0))';
  return new AnomalyDetectionAlarm(scope, 'dead-rate', {
    metric: new MathExpression({
      expression: `IF(${dead} >= 5, 100 * ${dead} / (${dead} + FILL(delivered, 0)), 0)`,
      usingMetrics: {
        dead: own('dead', fiveMinutes),
        gone: own('gone', fiveMinutes),
        delivered: own('delivered', fiveMinutes),
      },
      label: 'deliveries given up, %',
      period,
    }),
    stdDevs: 3,
    comparisonOperator: ComparisonOperator.GREATER_THAN_UPPER_THRESHOLD,
    evaluationPeriods: 3,
    datapointsToAlarm: 2,
    treatMissingData: TreatMissingData.NOT_BREACHING,
    alarmDescription: `More deliveries than usual are given up. ${runbookUrl}#dead-rate`,
  });
};
