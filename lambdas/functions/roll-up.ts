import type { Context, ScheduledEvent } from 'aws-lambda';
import { dynamoClient, sqsClient, takeAwsUse } from '../adapters/aws/aws-clients.ts';
import { createDeliveryQueue } from '../adapters/deliveries/delivery-queue.ts';
import { createHeartbeat } from '../adapters/maintenance/heartbeat.ts';
import { createRollUpStore } from '../adapters/maintenance/roll-up-store.ts';
import { extendEventRetention } from '../domain/maintenance/extend-event-retention.ts';
import { type RolledUp, rollUp } from '../domain/maintenance/roll-up.ts';
import { readConfig } from '../runtime/config.ts';
import { describeError, log } from '../runtime/log.ts';
import { publishMetrics } from '../runtime/metrics.ts';

const config = readConfig(['domainTable', 'deliveryTable', 'deliveriesQueueUrl', 'retentionDays', 'scheduleSpeed']);
const dynamo = dynamoClient();
const { beat } = createHeartbeat(dynamo, config.domainTable);
const dependencies = {
  store: createRollUpStore(
    dynamo,
    { domain: config.domainTable, delivery: config.deliveryTable },
    config.retentionDays,
  ),
  queue: createDeliveryQueue(sqsClient(), config.deliveriesQueueUrl, config.scheduleSpeed),
  clock: Date.now,
  speed: config.scheduleSpeed,
  retentionDays: config.retentionDays,
  retentionHours: config.retentionDays * 24,
};

/** Stopping in time costs nothing; being stopped half-way costs doing some of it again. */
const STOP_BEFORE_MS = 30_000;

/** Lets what is owed or held keep its event, and tells of what is held no longer. */
const keep = async (tickAtMs: number, isTimeUp: () => boolean): Promise<void> => {
  const { kept, resumed, ended } = await extendEventRetention(tickAtMs, dependencies, isTimeUp);
  if (kept > 0 || resumed > 0) log('info', 'events.kept', { kept, resumed });
  for (const { owner, webhookId, deliveries } of ended) {
    log('warn', 'hold.ended', { owner, webhook_id: webhookId, deliveries });
  }
  publishMetrics({ cancelled: ended.reduce((sum, { deliveries }) => sum + deliveries, 0) });
};

/** Sees to it that the stream is never silent. Work of its own beside the roll-up's: what goes wrong here is told of, and no more. */
const keepStreamAlive = (): Promise<void> =>
  beat().catch((error) => log('warn', 'heartbeat.failed', { error: describeError(error) }));

/** Reads the hours that are over: counts them, and finds what got lost on its way. Once a week, looks after what is owed for long. */
export const handler = async (event: Pick<ScheduledEvent, 'time'>, context: Context): Promise<void> => {
  const isTimeUp = () => context.getRemainingTimeInMillis() < STOP_BEFORE_MS;
  const tickAtMs = Date.parse(event.time);
  let rolled: RolledUp | undefined;
  const beaten = keepStreamAlive();
  try {
    rolled = await rollUp(tickAtMs, dependencies, isTimeUp);
    await keep(tickAtMs, isTimeUp);
  } finally {
    await beaten;
    const aws = takeAwsUse();
    log('info', 'hours.rolled-up', { tick: event.time, ...rolled, aws });
    await publishMetrics({ throttles: aws.throttles });
  }
};
