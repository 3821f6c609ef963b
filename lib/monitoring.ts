import { Alarm, ComparisonOperator, type IMetric, Stats, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import { Aws, CfnOutput, Duration, Validations } from 'aws-cdk-lib/core';
import { Construct } from 'constructs';
import { customerKey } from './customer-key.ts';
import type { Delivery } from './delivery.ts';
import type { FanOut } from './fan-out.ts';
import type { PublicApi } from './public-api.ts';
import type { StageConfig } from './stages.ts';

export interface MonitoringProps {
  readonly stage: StageConfig;
  readonly delivery: Delivery;
  readonly fanOut: FanOut;
  readonly api: PublicApi;
}

interface Watch {
  readonly metric: IMetric;
  /** Alarms above this. */
  readonly above: number;
  /** Of the metric, in a row. */
  readonly periods: number;
  readonly says: string;
}

const period = Duration.minutes(1);
const sum = { period, statistic: Stats.SUM };
const most = { period, statistic: Stats.MAXIMUM };

/** Alarms, each with its section in docs/runbook.md, and the topic that carries them. */
export class Monitoring extends Construct {
  private readonly topic: Topic;

  constructor(scope: Construct, id: string, { stage, delivery, fanOut, api }: MonitoringProps) {
    super(scope, id);
    this.topic = this.alarmTopic(stage);
    const { deliver, due, rollUp } = delivery;
    this.watch('dead-letters', {
      metric: delivery.deadLetters.metricApproximateNumberOfMessagesVisible(most),
      above: 0,
      periods: 1,
      says: 'A delivery message could not be worked on however often it was tried.',
    });
    this.watch('failures', {
      metric: fanOut.failures.metricApproximateNumberOfMessagesVisible(most),
      above: 0,
      periods: 1,
      says: 'A change in the domain table could not be understood by the fan-out.',
    });
    this.watch('iterator-age', {
      metric: fanOut.fanOut.metric('IteratorAge', most),
      above: 60_000,
      periods: 3,
      says: 'Changes wait for more than a minute before they become events.',
    });
    for (const fn of [fanOut.fanOut, deliver, due]) {
      this.watch(`${fn.node.id}-errors`, {
        metric: fn.metricErrors(sum),
        above: 0,
        periods: 3,
        says: `The function ${fn.node.id} fails, minute after minute.`,
      });
    }
    this.watch('roll-up-errors', {
      // Three ticks.
      metric: rollUp.metricErrors({ ...sum, period: Duration.minutes(15) }),
      above: 1,
      periods: 1,
      says: 'The function roll-up fails, tick after tick.',
    });
    this.watch('api-errors', {
      metric: api.stage.metricServerError(sum),
      above: 0,
      periods: 3,
      says: 'The API answers with 5xx.',
    });
    this.watch('throttles', {
      // The one that grows with the work; the fan-out's would show as iterator age.
      metric: deliver.metricThrottles(sum),
      above: 0,
      periods: 5,
      says: "Lambda refuses to start the deliver function: the account's concurrency is used up.",
    });
  }

  private watch(id: string, { metric, above, periods, says }: Watch): void {
    new Alarm(this, id, {
      metric,
      threshold: above,
      evaluationPeriods: periods,
      comparisonOperator: ComparisonOperator.GREATER_THAN_THRESHOLD,
      // An idle system sends no numbers, and that is well.
      treatMissingData: TreatMissingData.NOT_BREACHING,
      alarmDescription: `${says} docs/runbook.md#${id}`,
    }).addAlarmAction(new SnsAction(this.topic));
  }

  private alarmTopic(stage: StageConfig): Topic {
    const { alarmEmail: email } = stage;
    const masterKey = customerKey(this, stage);
    const topic = new Topic(this, 'alarms', { enforceSSL: true, ...(masterKey ? { masterKey } : {}) });
    // With a policy of its own a topic loses the default one, through which alarms were let in.
    topic.addToResourcePolicy(
      new PolicyStatement({
        principals: [new ServicePrincipal('cloudwatch.amazonaws.com')],
        actions: ['sns:Publish'],
        resources: [topic.topicArn],
        conditions: { StringEquals: { 'aws:SourceAccount': Aws.ACCOUNT_ID } },
      }),
    );
    if (email) {
      Validations.of(topic.addSubscription(new EmailSubscription(email))).acknowledge({
        id: 'Serverless-SNSRedrivePolicy',
        reason: 'What such a queue would keep is a message about an alarm; the alarm itself stands in CloudWatch.',
      });
    }
    new CfnOutput(this, 'topic', { value: topic.topicArn, description: 'Where alarms are sent' }).overrideLogicalId(
      'AlarmTopic',
    );
    return topic;
  }
}
