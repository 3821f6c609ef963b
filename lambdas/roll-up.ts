import type { Context, ScheduledEvent } from 'aws-lambda';
import { dynamoClient, sqsClient, takeAwsUse } from './adapters/aws-clients.ts';
import { createDeliveryQueue } from './adapters/delivery-queue.ts';
import { createRollUpRows } from './adapters/roll-up-rows.ts';
import { type RolledUp, rollUp } from './domain/roll-up.ts';
import { readConfig } from './runtime/config.ts';
import { log } from './runtime/log.ts';
import { publishMetrics } from './runtime/metrics.ts';

const config = readConfig(['domainTable', 'deliveryTable', 'deliveriesQueueUrl', 'retentionDays', 'scheduleSpeed']);
const dependencies = {
  store: createRollUpRows(
    dynamoClient(),
    { domain: config.domainTable, delivery: config.deliveryTable },
    config.retentionDays,
  ),
  queue: createDeliveryQueue(sqsClient(), config.deliveriesQueueUrl, config.scheduleSpeed),
  clock: Date.now,
  speed: config.scheduleSpeed,
  retentionHours: config.retentionDays * 24,
};

/** Stopping in time costs nothing; being stopped half-way costs doing some of it again. */
const STOP_BEFORE_MS = 30_000;

/** Reads the hours that are over: counts them, and finds what got lost on its way. */
export const handler = async (event: Pick<ScheduledEvent, 'time'>, context: Context): Promise<void> => {
  const isTimeUp = () => context.getRemainingTimeInMillis() < STOP_BEFORE_MS;
  let rolled: RolledUp | undefined;
  try {
    rolled = await rollUp(Date.parse(event.time), dependencies, isTimeUp);
  } finally {
    const aws = takeAwsUse();
    log('info', 'hours.rolled-up', { tick: event.time, ...rolled, aws });
    publishMetrics({ throttles: aws.throttles });
  }
};
