import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { EventSourceMapping, FilterCriteria, FilterRule, StartingPosition } from 'aws-cdk-lib/aws-lambda';
import { Queue } from 'aws-cdk-lib/aws-sqs';
import { Duration, Validations } from 'aws-cdk-lib/core';
import { Construct } from 'constructs';
import { partitions } from '../lambdas/adapters/rows/key-names.ts';
import { env } from '../lambdas/runtime/env.ts';
import { queueEncryption } from './customer-key.ts';
import type { Delivery } from './delivery.ts';
import { grantFanOut } from './engine-grants.ts';
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

/** The mapping of the domain table's stream to the fan-out function, and the queue for changes that it cannot read. */
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
    const reason = 'This is a terminal queue: an alarm watches it, and an operator empties it.';
    Validations.of(this.failures).acknowledge(
      { id: 'AwsSolutions-SQS3', reason },
      { id: 'Serverless-SQSRedrivePolicy', reason },
    );
    this.fanOut = lambdaFunction(this, 'fan-out', { stage, timeout: Duration.seconds(60) });
    grantFanOut(storage, this.fanOut);
    delivery.grantSend(this.fanOut);
    grant(this.fanOut, [{ actions: ['sqs:SendMessage'], resources: [this.failures.queueArn] }], {
      [env.failuresQueueUrl]: this.failures.queueUrl,
    });

    // Do not change the mapping's logical id, function or starting position: a replaced mapping reads the last 24 hours
    // again.
    new EventSourceMapping(this, 'stream-mapping', {
      target: this.fanOut,
      eventSourceArn: storage.domainTable.tableStreamArn ?? '',
      // Reads from the oldest change on: LATEST would miss the changes that are written while the mapping is created.
      startingPosition: StartingPosition.TRIM_HORIZON,
      // There is no batching window, so that the first event of a quiet hour does not wait for other events.
      batchSize: 100,
      // Four batches of a shard run at the same time. Lambda preserves the order of changes with the same partition
      // key.
      parallelizationFactor: 4,
      reportBatchItemFailures: true,
      // -1 retries a batch without limit: with a limit, a throttled table would lose events.
      retryAttempts: -1,
      // Records that could not be carried out go to the failures queue, an hour before the stream drops them silently.
      maxRecordAge: Duration.hours(23),
      onFailure: { bind: () => ({ destination: this.failures.queueArn }) },
      // Events that the fan-out itself writes for tasks (origin "change") do not pass through it again.
      filters: [
        image({ kind: ['task', 'command', 'template'] }),
        image({ kind: ['event'] }, { origin: ['publish'] }),
        image({ kind: ['job'] }, { status: ['completed'] }, { result_to: ['webhooks'] }),
        // Lets the deletion of the heartbeat row, which the roll-up writes and deletes, invoke the fan-out. Every
        // release of the fan-out ignores the record, because a record of a deletion has no new image.
        FilterCriteria.filter({
          eventName: FilterRule.isEqual('REMOVE'),
          dynamodb: { Keys: { pk: { S: FilterRule.isEqual(partitions.heartbeat) } } },
        }),
      ],
    });
  }
}
