import {
  type Alarm,
  AlarmStatusWidget,
  Dashboard,
  GraphWidget,
  type IMetric,
  MathExpression,
  Stats,
  TextWidget,
} from 'aws-cdk-lib/aws-cloudwatch';
import { Aws, Duration } from 'aws-cdk-lib/core';
import type { Construct } from 'constructs';
import { type Measure, metricNamespace } from '../lambdas/runtime/metric-names.ts';
import type { MonitoredParts } from './alarms.ts';
import { logQueries, savedQueryName } from './log-queries.ts';
import { maximum, ownMetric, sum } from './metrics.ts';
import type { Storage } from './storage.ts';

const HALF = 12;
const period = Duration.minutes(1);
const percentile = (p: number) => ({ period, statistic: Stats.percentile(p) });

/** Creates the dashboard: one section for each question that people ask about webhook deliveries. */
export const createDashboard = (
  scope: Construct,
  {
    delivery,
    fanOut,
    api,
    storage,
    alarms,
  }: MonitoredParts & { readonly storage: Storage; readonly alarms: readonly Alarm[] },
): Dashboard => {
  const { deliver, due, deliveries, slow } = delivery;
  const metric = (measure: Measure, options: Parameters<typeof ownMetric>[2], label: string) =>
    ownMetric(scope, measure, { ...options, label });
  const graph = (title: string, left: IMetric[], right: IMetric[] = [], width = HALF) =>
    new GraphWidget({ title, left, right, width, height: 6, liveData: true });
  const heading = (question: string) => new TextWidget({ markdown: `## ${question}`, width: 24, height: 1 });
  // A widget with a log query would read gigabytes of logs each time that somebody opens or refreshes the dashboard, and
  // CloudWatch charges for each gigabyte. So the dashboard names the queries, and a person runs one when needed.
  const queries = new TextWidget({
    markdown: [
      `Run a saved query in [Logs Insights](https://${Aws.REGION}.console.aws.amazon.com/cloudwatch/home?region=${Aws.REGION}#logsV2:logs-insights) (*Saved and sample queries*):`,
      '',
      ...Object.keys(logQueries).map((name) => `- *${savedQueryName(scope, name)}*`),
    ].join('\n'),
    width: HALF,
    height: 6,
  });
  const byProfile = (measure: Measure) => {
    const { metricName, dimensions } = ownMetric(scope, measure, sum);
    const search = `{${metricNamespace},profile,service} MetricName="${metricName}" service="${dimensions?.service}"`;
    return new MathExpression({ expression: `SEARCH('${search}', 'Sum', 60)`, usingMetrics: {}, label: '', period });
  };

  const dashboard = new Dashboard(scope, 'dashboard', { defaultInterval: Duration.hours(3) });
  dashboard.addWidgets(new AlarmStatusWidget({ title: 'Alarms', alarms: [...alarms], width: 24, height: 3 }));

  dashboard.addWidgets(heading('Are webhooks arriving?'));
  dashboard.addWidgets(
    graph('Attempts by outcome', [
      metric('delivered', sum, 'delivered'),
      metric('refused', sum, 'refused, will be retried'),
      metric('dead', sum, 'dead'),
      metric('gone', sum, 'gone'),
    ]),
    graph('Delivered, by profile', [byProfile('delivered')]),
  );

  dashboard.addWidgets(heading('Who is failing?'));
  dashboard.addWidgets(
    queries,
    graph('Failures of PassPost itself', [
      metric('failed', sum, 'handed back'),
      metric('keyringUnreadable', sum, 'keyring unreadable'),
      metric('throttles', sum, 'calls throttled'),
      metric('forbiddenAddresses', sum, 'forbidden addresses'),
      api.stage.metricServerError({ ...sum, label: 'API 5xx' }),
    ]),
  );

  dashboard.addWidgets(heading('How late?'));
  dashboard.addWidgets(
    graph(
      'From event to first POST, ms',
      [metric('firstAttemptMs', percentile(50), 'p50'), metric('firstAttemptMs', percentile(99), 'p99')],
      [fanOut.fanOut.metric('IteratorAge', { ...maximum, label: 'iterator age' })],
    ),
    graph(
      'Lateness of later attempts, ms',
      [metric('latenessMs', percentile(50), 'p50'), metric('latenessMs', percentile(99), 'p99')],
      [metric('receiverMs', percentile(99), 'receivers, p99')],
    ),
  );

  dashboard.addWidgets(heading('What waits?'));
  dashboard.addWidgets(
    graph(
      'Deliveries that wait for an attempt',
      [metric('owedNow', maximum, 'due now'), metric('held', sum, 'held')],
      [metric('oldestOwedSeconds', maximum, 'oldest, s')],
    ),
    graph(
      'Queues',
      [
        deliveries.metricApproximateNumberOfMessagesVisible({ ...maximum, label: 'deliveries, waiting' }),
        deliveries.metricApproximateNumberOfMessagesNotVisible({ ...maximum, label: 'deliveries, in flight' }),
        deliveries.metricApproximateNumberOfMessagesDelayed({ ...maximum, label: 'deliveries, delayed' }),
        slow.metricApproximateNumberOfMessagesVisible({ ...maximum, label: 'slow, waiting' }),
        slow.metricApproximateNumberOfMessagesNotVisible({ ...maximum, label: 'slow, in flight' }),
      ],
      [
        deliveries.metricApproximateAgeOfOldestMessage({ ...maximum, label: 'deliveries, oldest, s' }),
        slow.metricApproximateAgeOfOldestMessage({ ...maximum, label: 'slow, oldest, s' }),
      ],
    ),
  );
  dashboard.addWidgets(
    graph(
      'Slow lane, share of attempts, %',
      [
        new MathExpression({
          expression: '100 * FILL(slow, 0) / attempts',
          usingMetrics: {
            slow: metric('slowLaneAttempts', sum, ''),
            attempts: metric('receiverMs', { period, statistic: Stats.SAMPLE_COUNT }, ''),
          },
          label: 'slow lane',
          period,
        }),
      ],
      [],
    ),
    graph(
      'Events, and deliveries per event',
      [metric('events', sum, 'events')],
      [
        new MathExpression({
          expression: 'deliveries / events',
          usingMetrics: { deliveries: metric('fannedOut', sum, ''), events: metric('events', sum, '') },
          label: 'deliveries per event',
          period,
        }),
      ],
    ),
  );

  dashboard.addWidgets(heading('What does it cost?'));
  dashboard.addWidgets(
    graph(
      'Calls',
      [
        api.stage.metricCount({ ...sum, label: 'API' }),
        metric('rateLimited', sum, 'API, answered with 429'),
        metric('unauthorized', sum, 'API, answered with 401'),
        ...[fanOut.fanOut, deliver, due].map((fn) => fn.metricInvocations({ ...sum, label: fn.node.id })),
      ],
      [deliver.metricDuration({ ...sum, label: 'deliver, ms' })],
    ),
    graph('Capacity units of the tables', [
      storage.domainTable.metricConsumedWriteCapacityUnits({ ...sum, label: 'domain, written' }),
      storage.domainTable.metricConsumedReadCapacityUnits({ ...sum, label: 'domain, read' }),
      storage.deliveryTable.metricConsumedWriteCapacityUnits({ ...sum, label: 'delivery, written' }),
      storage.deliveryTable.metricConsumedReadCapacityUnits({ ...sum, label: 'delivery, read' }),
      storage.credentialsTable.metricConsumedWriteCapacityUnits({ ...sum, label: 'credentials, written' }),
      storage.credentialsTable.metricConsumedReadCapacityUnits({ ...sum, label: 'credentials, read' }),
    ]),
  );
  return dashboard;
};
