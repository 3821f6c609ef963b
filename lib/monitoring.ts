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

/** Metric filters, alarms with their SNS topic, the dashboard and the saved log queries. */
export class Monitoring extends Construct {
  constructor(scope: Construct, id: string, { stage, ...parts }: MonitoringProps) {
    super(scope, id);
    createMetricFilters(this, parts);
    const topic = this.alarmTopic(stage);
    // Only a deployment into an emulator sets `egressAllow`. Such a deployment gets no alarms with metric math and no
    // saved queries, because the emulator refuses both.
    const isEmulated = stage.egressAllow !== null;
    const alarms = createAlarms(this, parts, {
      withMath: !isEmulated,
      engineConcurrency: stage.engineConcurrency ?? 0,
      runbookUrl: stage.runbookUrl,
    });
    for (const alarm of alarms) alarm.addAlarmAction(new SnsAction(topic));
    if (!isEmulated) saveLogQueries(this, parts.delivery);
    const dashboard = createDashboard(this, { ...parts, alarms });
    new CfnOutput(this, 'dashboard-name', { value: dashboard.dashboardName }).overrideLogicalId('Dashboard');
  }

  private alarmTopic(stage: StageConfig): Topic {
    const { alarmEmail: email } = stage;
    const masterKey = customerKey(this, stage);
    const topic = new Topic(this, 'alarms', { enforceSSL: true, ...(masterKey ? { masterKey } : {}) });
    // The topic's own policy replaces the default policy, so it must let CloudWatch publish alarms.
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
        reason: 'Such a queue would only store mails about alarms; CloudWatch shows the alarms themselves.',
      });
    }
    new CfnOutput(this, 'topic', {
      value: topic.topicArn,
      description: 'The topic that alarms are sent to',
    }).overrideLogicalId('AlarmTopic');
    return topic;
  }
}
