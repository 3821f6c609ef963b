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
import type { Keyring } from './keyring.ts';
import { grant, grantCustomerKey, lambdaFunction } from './lambda-function.ts';
import type { StageConfig } from './stage-config.ts';
import type { Storage } from './storage.ts';

export interface DeliveryProps {
  readonly stage: StageConfig;
  readonly storage: Storage;
  readonly keyring: Keyring;
}

/** A batch's deliveries run side by side; the slowest may take 30 s and is recorded after that. */
const deliverTimeout = Duration.seconds(45);
/** At least six times the timeout, or a message comes back while it is still being worked on. */
const visibilityTimeout = Duration.seconds(6 * 45);
/**
 * Only our own failures count here (a receiver's refusal is recorded and its message is done), and a table that
 * throttles must not send what is owed to the dead letters: at 270 s a try this is an hour and a half.
 */
const maxReceiveCount = 20;

/** Two lanes to the deliver function, the dead letters of both, and the ticks that find what is due and what got lost. */
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
      reason: 'It is the end of the road: an alarm watches it and people empty it.',
    });
    const lane = { ...common, visibilityTimeout, deadLetterQueue: { queue: this.deadLetters, maxReceiveCount } };
    this.deliveries = new Queue(this, 'deliveries', lane);
    this.slow = new Queue(this, 'slow', lane);

    this.deliver = lambdaFunction(this, 'deliver', {
      stage,
      timeout: deliverTimeout,
      // It feeds its own queue on purpose (retries, the slow lane); attempts are bounded by the schedule.
      recursiveLoop: RecursiveLoop.ALLOW,
      network: egressNetwork(this, stage),
    });
    storage.grantDeliver(this.deliver);
    keyring.grantRead(this.deliver);
    this.grantSend(this.deliver);
    grant(this.deliver, [{ actions: ['sqs:SendMessage'], resources: [this.slow.queueArn] }], {
      [env.slowQueueUrl]: this.slow.queueUrl,
      [env.autoDisableAfterHours]: String(stage.autoDisableAfterHours),
    });
    this.consume('deliveries-mapping', this.deliveries, stage.deliverConcurrency);
    this.consume('slow-mapping', this.slow, stage.slowConcurrency);

    this.due = lambdaFunction(this, 'due', { stage, timeout: Duration.seconds(55) });
    storage.grantDue(this.due);
    this.grantSend(this.due);
    this.tick('minute', Duration.minutes(1), this.due);

    this.rollUp = lambdaFunction(this, 'roll-up', { stage, timeout: Duration.minutes(4) });
    storage.grantRollUp(this.rollUp);
    this.grantSend(this.rollUp);
    // More often than the hours it reads: what does not fit into one tick goes on in the next.
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
          // What Lambda asks of a mapping's role.
          actions: ['ReceiveMessage', 'DeleteMessage', 'GetQueueAttributes'].map((name) => `sqs:${name}`),
          resources: [queue.queueArn],
        },
      ],
      {},
    );
    const mapping = new EventSourceMapping(this, id, {
      target: this.deliver,
      eventSourceArn: queue.queueArn,
      // No window: a first attempt waits for nobody.
      batchSize: 10,
      reportBatchItemFailures: true,
      ...(maxConcurrency === null ? {} : { maxConcurrency }),
    });
    Validations.of(mapping).acknowledge({
      id: 'Serverless-LambdaEventSourceMappingDestination',
      reason: "A queue's mapping takes no such destination: what fails too often goes to the queue's own dead letters.",
    });
  }

  private tick(id: string, every: Duration, fn: LambdaFunction): void {
    // A tick that is lost or late changes nothing, the next one finds the same rows: so none is tried again, neither its
    // hand-over nor its run, which Lambda would repeat twice.
    const rule = new Rule(this, id, { schedule: Schedule.rate(every) });
    rule.addTarget(new LambdaTarget(fn, { retryAttempts: 0, maxEventAge: every }));
    const run = new EventInvokeConfig(this, `${id}-run`, { function: fn, retryAttempts: 0, maxEventAge: every });
    const reason = 'A tick carries nothing: the next one does all that a lost one would have done.';
    Validations.of(rule).acknowledge({ id: 'Serverless-EventBusDLQ', reason });
    Validations.of(run).acknowledge({ id: 'Serverless-LambdaAsyncFailureDestination', reason });
  }
}
