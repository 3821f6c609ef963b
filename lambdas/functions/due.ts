import type { ScheduledEvent } from 'aws-lambda';
import { dynamoClient, sqsClient, takeAwsUse } from '../adapters/aws/aws-clients.ts';
import { createDeliveryQueue } from '../adapters/deliveries/delivery-queue.ts';
import { createDueIndex } from '../adapters/maintenance/due-index.ts';
import { DUE_SHARDS } from '../adapters/rows/table-keys.ts';
import { type SweepReport, sweepDue } from '../domain/maintenance/sweep-due.ts';
import { readConfig } from '../runtime/config.ts';
import { log } from '../runtime/log.ts';
import { publishMetrics } from '../runtime/metrics.ts';

const config = readConfig(['deliveryTable', 'deliveriesQueueUrl', 'scheduleSpeed']);
const dependencies = {
  index: createDueIndex(dynamoClient(), config.deliveryTable),
  queue: createDeliveryQueue(sqsClient(), config.deliveriesQueueUrl, config.scheduleSpeed),
  clock: Date.now,
  speed: config.scheduleSpeed,
  shards: DUE_SHARDS,
};

/** Runs every minute: queues deliveries that are due soon, and queues overdue deliveries again. */
export const handler = async (event: Pick<ScheduledEvent, 'time'>): Promise<void> => {
  let swept: SweepReport | undefined;
  try {
    swept = await sweepDue(Date.parse(event.time), dependencies);
  } finally {
    const aws = takeAwsUse();
    log('info', 'due.swept', { tick: event.time, ...swept, aws });
    await publishMetrics({ ...swept?.owed, throttles: aws.throttles });
  }
};
