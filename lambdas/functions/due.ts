import type { Context, ScheduledEvent } from 'aws-lambda';
import { dynamoClient, sqsClient, takeAwsUse } from '../adapters/aws/aws-clients.ts';
import { createDeliveryQueue } from '../adapters/deliveries/delivery-queue.ts';
import { createDueIndex, createSweepStore } from '../adapters/maintenance/due-index.ts';
import { DUE_SHARDS } from '../adapters/rows/table-keys.ts';
import { type SweepReport, sweepDue } from '../domain/maintenance/sweep-due.ts';
import { readConfig } from '../runtime/config.ts';
import { log } from '../runtime/log.ts';
import { publishMetrics } from '../runtime/metrics.ts';

const config = readConfig(['deliveryTable', 'deliveriesQueueUrl', 'scheduleSpeed']);
const dynamo = dynamoClient();
const dependencies = {
  index: createDueIndex(dynamo, config.deliveryTable),
  store: createSweepStore(dynamo, config.deliveryTable),
  queue: createDeliveryQueue(sqsClient(), config.deliveriesQueueUrl, config.scheduleSpeed),
  clock: Date.now,
  speed: config.scheduleSpeed,
  shards: DUE_SHARDS,
};

/** Milliseconds before its timeout at which the tick stops. A tick that Lambda stops loses up to 10 s of its progress. */
const STOP_BEFORE_MS = 10_000;

/** Runs every minute: queues deliveries that are due soon, and queues overdue deliveries again. */
export const handler = async (event: Pick<ScheduledEvent, 'time'>, context: Context): Promise<void> => {
  const isTimeUp = () => context.getRemainingTimeInMillis() < STOP_BEFORE_MS;
  let swept: SweepReport | undefined;
  try {
    swept = await sweepDue(Date.parse(event.time), dependencies, isTimeUp);
  } finally {
    const aws = takeAwsUse();
    log('info', 'due.swept', { tick: event.time, ...swept, aws });
    await publishMetrics({ ...swept?.owed, throttles: aws.throttles });
  }
};
