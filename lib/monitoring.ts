import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import { Aws, CfnOutput, Validations } from 'aws-cdk-lib/core';
import { Construct } from 'constructs';
import { createAlarms, type MonitoredParts } from './alarms.ts';
import { customerKey } from './customer-key.ts';
import { createDashboard } from './dashboard.ts';
import { saveLogQueries } from './log-queries.ts';
import { createMetricFilters } from './metric-filters.ts';
import type { StageConfig } from './stage-config.ts';
import type { Storage } from './storage.ts';

export interface MonitoringProps extends MonitoredParts {
  readonly stage: StageConfig;
  readonly storage: Storage;
}

/** What is counted off the log, alarms with the topic that carries them, the dashboard, and the queries that are saved with it. */
export class Monitoring extends Construct {
  constructor(scope: Construct, id: string, { stage, ...watched }: MonitoringProps) {
    super(scope, id);
    createMetricFilters(this, watched);
    const topic = this.alarmTopic(stage);
    // Such a deployment goes into an emulator, which refuses metric math and saved queries.
    const isEmulated = stage.egressAllow !== null;
    const alarms = createAlarms(this, watched, { withMath: !isEmulated, runbookUrl: stage.runbookUrl });
    for (const alarm of alarms) alarm.addAlarmAction(new SnsAction(topic));
    if (!isEmulated) saveLogQueries(this, watched.delivery);
    const dashboard = createDashboard(this, { ...watched, alarms });
    new CfnOutput(this, 'dashboard-name', { value: dashboard.dashboardName }).overrideLogicalId('Dashboard');
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
