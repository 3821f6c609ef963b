import { Rule, Schedule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction as LambdaTarget } from 'aws-cdk-lib/aws-events-targets';
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { EventInvokeConfig, EventSourceMapping, RecursiveLoop } from 'aws-cdk-lib/aws-lambda';
import { Queue } from 'aws-cdk-lib/aws-sqs';
import { Duration, RemovalPolicy, Validations } from 'aws-cdk-lib/core';
import { Construct } from 'constructs';
import { env } from '../lambdas/runtime/env.ts';
import { queueEncryption } from './customer-key.ts';
import { egressNetwork } from './egress-network.ts';
import { grantDeliver, grantDue, grantRollUp } from './engine-grants.ts';
import type { Keyring } from './keyring.ts';
import { grant, grantCustomerKey, lambdaFunction } from './lambda-function.ts';
import type { StageConfig } from './stage-config.ts';
import type { Storage } from './storage.ts';

export interface DeliveryProps {
  readonly stage: StageConfig;
  readonly storage: Storage;
  readonly keyring: Keyring;
}

/**
 * The timeout of the function deliver. The deliveries of a batch run in parallel. The slowest may take 30 s, and its
 * result is recorded after that.
 */
const deliverTimeout = Duration.seconds(45);
/**
 * How long a received message stays invisible in its queue: six times the timeout, which AWS recommends. A shorter time
 * returns a message while an invocation still holds it.
 */
const visibilityTimeout = Duration.seconds(6 * 45);
/**
 * How often a message is received before it goes to the dead-letter queue. Only PassPost's own failures count, because
 * a refusal by a receiver is recorded and its message deleted. At 270 s per try, 20 tries are 90 minutes, so a table
 * that throttles for a while does not fill the dead-letter queue.
 */
const maxReceiveCount = 20;

/** The two lanes to the deliver function, their dead-letter queue, and the ticks that find due deliveries and lost messages. */
export class Delivery extends Construct {
  readonly deliveries: Queue;
  readonly slow: Queue;
  readonly deadLetters: Queue;
  readonly deliver: LambdaFunction;
  readonly due: LambdaFunction;
  readonly rollUp: LambdaFunction;
  private readonly stage: StageConfig;

  constructor(scope: Construct, id: string, { stage, storage, keyring }: DeliveryProps) {
    super(scope, id);
    this.stage = stage;
    const common = {
      ...queueEncryption(this, stage),
      enforceSSL: true,
      retentionPeriod: Duration.days(14),
      removalPolicy: RemovalPolicy.DESTROY,
    };
    this.deadLetters = new Queue(this, 'dead-letters', common);
    Validations.of(this.deadLetters).acknowledge({
      id: 'Serverless-SQSRedrivePolicy',
      reason: 'This is the terminal queue: an alarm watches it, and an operator empties it.',
    });
    const lane = { ...common, visibilityTimeout, deadLetterQueue: { queue: this.deadLetters, maxReceiveCount } };
    this.deliveries = new Queue(this, 'deliveries', lane);
    this.slow = new Queue(this, 'slow', lane);

    this.deliver = lambdaFunction(this, 'deliver', {
      stage,
      timeout: deliverTimeout,
      // Allows the deliver function to send to the queues that invoke it, which it does for retries and the slow lane.
      // The retry schedule bounds the attempts, so this loop ends.
      recursiveLoop: RecursiveLoop.ALLOW,
      network: egressNetwork(this, stage),
    });
    grantDeliver(storage, this.deliver);
    keyring.grantRead(this.deliver);
    this.grantSend(this.deliver);
    grant(this.deliver, [{ actions: ['sqs:SendMessage'], resources: [this.slow.queueArn] }], {
      [env.slowQueueUrl]: this.slow.queueUrl,
      [env.autoDisableAfterHours]: String(stage.autoDisableAfterHours),
    });
    this.consume('deliveries-mapping', this.deliveries, stage.deliverConcurrency);
    this.consume('slow-mapping', this.slow, stage.slowConcurrency);

    this.due = lambdaFunction(this, 'due', { stage, timeout: Duration.seconds(55) });
    grantDue(storage, this.due);
    this.grantSend(this.due);
    this.tick('minute', Duration.minutes(1), this.due);

    this.rollUp = lambdaFunction(this, 'roll-up', { stage, timeout: Duration.minutes(4) });
    grantRollUp(storage, this.rollUp);
    this.grantSend(this.rollUp);
    // The roll-up runs more often than once an hour, because a tick continues the work that did not fit into the tick
    // before.
    this.tick('five-minutes', Duration.minutes(5), this.rollUp);
  }

  grantSend(fn: LambdaFunction): void {
    grant(fn, [{ actions: ['sqs:SendMessage'], resources: [this.deliveries.queueArn] }], {
      [env.deliveriesQueueUrl]: this.deliveries.queueUrl,
    });
    grantCustomerKey(fn, this.stage, 'sqs');
  }

  private consume(id: string, queue: Queue, maxConcurrency: number | null): void {
    grant(
      this.deliver,
      [
        {
          // Lambda needs these actions in the role of a mapping's function.
          actions: ['ReceiveMessage', 'DeleteMessage', 'GetQueueAttributes'].map((name) => `sqs:${name}`),
          resources: [queue.queueArn],
        },
      ],
      {},
    );
    const mapping = new EventSourceMapping(this, id, {
      target: this.deliver,
      eventSourceArn: queue.queueArn,
      // No batching window, so that a first attempt does not wait for other messages.
      batchSize: 10,
      reportBatchItemFailures: true,
      ...(maxConcurrency === null ? {} : { maxConcurrency }),
    });
    Validations.of(mapping).acknowledge({
      id: 'Serverless-LambdaEventSourceMappingDestination',
      reason: 'The mapping of a queue supports no destination: the queue has its own dead-letter queue.',
    });
  }

  private tick(id: string, every: Duration, fn: LambdaFunction): void {
    // The next tick finds the same rows, so EventBridge does not retry the invocation, and Lambda does not retry a failed run
    // (its default is two retries).
    const rule = new Rule(this, id, { schedule: Schedule.rate(every) });
    rule.addTarget(new LambdaTarget(fn, { retryAttempts: 0, maxEventAge: every }));
    const run = new EventInvokeConfig(this, `${id}-run`, { function: fn, retryAttempts: 0, maxEventAge: every });
    const reason = 'A tick carries no data: the next tick does all the work of a lost one.';
    Validations.of(rule).acknowledge({ id: 'Serverless-EventBusDLQ', reason });
    Validations.of(run).acknowledge({ id: 'Serverless-LambdaAsyncFailureDestination', reason });
  }
}
