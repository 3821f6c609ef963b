import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import {
  type CfnEventSourceMapping,
  EventSourceMapping,
  FilterCriteria,
  FilterRule,
  StartingPosition,
} from 'aws-cdk-lib/aws-lambda';
import { Queue } from 'aws-cdk-lib/aws-sqs';
import { Duration, Validations } from 'aws-cdk-lib/core';
import { Construct } from 'constructs';
import { partitions } from '../lambdas/adapters/rows/key-names.ts';
import { env } from '../lambdas/runtime/env.ts';
import { queueEncryption } from './customer-key.ts';
import type { Delivery } from './delivery.ts';
import { grant, lambdaFunction } from './lambda-function.ts';
import type { StageConfig } from './stage-config.ts';
import type { Storage } from './storage.ts';

export interface FanOutProps {
  readonly stage: StageConfig;
  readonly storage: Storage;
  readonly delivery: Delivery;
}

const image = (...conditions: readonly Record<string, readonly string[]>[]) => {
  const NewImage = Object.fromEntries(
    conditions.flatMap(Object.entries).map(([name, values]) => [name, { S: FilterRule.or(...values) }]),
  );
  return FilterCriteria.filter({ dynamodb: { NewImage } });
};

/** The domain table's stream to the fan-out function, and the queue of what it could never understand. */
export class FanOut extends Construct {
  readonly failures: Queue;
  readonly fanOut: LambdaFunction;

  constructor(scope: Construct, id: string, { stage, storage, delivery }: FanOutProps) {
    super(scope, id);
    this.failures = new Queue(this, 'failures', {
      ...queueEncryption(this, stage),
      enforceSSL: true,
      retentionPeriod: Duration.days(14),
    });
    const reason = 'It is an end of the road itself: an alarm watches it and people empty it.';
    Validations.of(this.failures).acknowledge(
      { id: 'AwsSolutions-SQS3', reason },
      { id: 'Serverless-SQSRedrivePolicy', reason },
    );
    this.fanOut = lambdaFunction(this, 'fan-out', { stage, timeout: Duration.seconds(60) });
    storage.grantFanOut(this.fanOut);
    delivery.grantSend(this.fanOut);
    grant(this.fanOut, [{ actions: ['sqs:SendMessage'], resources: [this.failures.queueArn] }], {
      [env.failuresQueueUrl]: this.failures.queueUrl,
    });

    // Its logical id, function and start position stay as they are: a mapping that is replaced replays 24 hours.
    const mapping = new EventSourceMapping(this, 'stream-mapping', {
      target: this.fanOut,
      eventSourceArn: storage.domainTable.tableStreamArn ?? '',
      // With LATEST, what is written while the mapping is being made would be missed.
      startingPosition: StartingPosition.TRIM_HORIZON,
      // No window: the first event of a quiet hour waits for nobody.
      batchSize: 100,
      // Order within a key is kept.
      parallelizationFactor: 4,
      reportBatchItemFailures: true,
      // For ever: with a limit, a throttled table would turn into lost events.
      retryAttempts: -1,
      onFailure: { bind: () => ({ destination: this.failures.queueArn }) },
      // The events that the fan-out itself puts there for tasks (origin "change") do not pass through it again.
      filters: [
        image({ kind: ['task', 'command', 'template'] }),
        image({ kind: ['event'] }, { origin: ['publish'] }),
        image({ kind: ['job'] }, { status: ['completed'] }, { result_to: ['webhooks'] }),
        // What the roll-up puts there and takes away: a record without a new image means nothing to any release.
        FilterCriteria.filter({
          eventName: FilterRule.isEqual('REMOVE'),
          dynamodb: { Keys: { pk: { S: FilterRule.isEqual(partitions.heartbeat) } } },
        }),
      ],
    });
    // Nor too old for ever; the construct does not take the -1 that says so.
    (mapping.node.defaultChild as CfnEventSourceMapping).maximumRecordAgeInSeconds = -1;
  }
}
