import type { Context, ScheduledEvent } from 'aws-lambda';
import { dynamoClient, sqsClient, takeAwsUse } from '../adapters/aws/aws-clients.ts';
import { refusalCodeOf } from '../adapters/aws/refusal.ts';
import { createDeliveryQueue } from '../adapters/deliveries/delivery-queue.ts';
import { createFanOutStore } from '../adapters/fan-out/fan-out-store.ts';
import { createHeartbeat } from '../adapters/maintenance/heartbeat.ts';
import { createLostChangesReads } from '../adapters/maintenance/lost-changes.ts';
import { createRollUpStore } from '../adapters/maintenance/roll-up-store.ts';
import { builtInEventType } from '../domain/events/built-in-types.ts';
import { extendEventRetention } from '../domain/maintenance/extend-event-retention.ts';
import { findLostChanges } from '../domain/maintenance/find-lost-changes.ts';
import { type RollUpReport, rollUp } from '../domain/maintenance/roll-up.ts';
import { readConfig } from '../runtime/config.ts';
import { describeError, log } from '../runtime/log.ts';
import { publishMetrics } from '../runtime/metrics.ts';

const config = readConfig(['domainTable', 'deliveryTable', 'deliveriesQueueUrl', 'retentionDays', 'scheduleSpeed']);
const dynamo = dynamoClient();
const { beat } = createHeartbeat(dynamo, config.domainTable);
const tables = { domain: config.domainTable, delivery: config.deliveryTable };
const isOperational = (type: string): boolean => builtInEventType(type)?.isOperational === true;
const dependencies = {
  store: {
    ...createFanOutStore(dynamo, tables, config.retentionDays, isOperational, config.scheduleSpeed),
    ...createLostChangesReads(dynamo, tables),
    ...createRollUpStore(dynamo, tables, config.retentionDays),
  },
  queue: createDeliveryQueue(sqsClient(), config.deliveriesQueueUrl, config.scheduleSpeed),
  clock: Date.now,
  speed: config.scheduleSpeed,
  refusalCodeOf,
  retentionDays: config.retentionDays,
  retentionHours: config.retentionDays * 24,
};

/**
 * Milliseconds before its timeout at which the roll-up stops, because a run that Lambda stops must repeat some work.
 */
const STOP_BEFORE_MS = 30_000;

/** Extends the retention of events with unfinished deliveries, and logs the holds that ended. */
const extendRetention = async (tickAtMs: number, isTimeUp: () => boolean): Promise<void> => {
  const { extended, released, expiredHolds } = await extendEventRetention(tickAtMs, dependencies, isTimeUp);
  if (extended > 0 || released > 0) log('info', 'events.kept', { kept: extended, resumed: released });
  for (const { owner, webhookId, deliveries } of expiredHolds) {
    log('warn', 'hold.ended', { owner, webhook_id: webhookId, deliveries });
  }
  await publishMetrics({ cancelled: expiredHolds.reduce((sum, { deliveries }) => sum + deliveries, 0) });
};

/** Finds changes that the stream lost, fans them out, and logs and counts them. */
const fanOutLostChanges = async (tickAtMs: number, isTimeUp: () => boolean): Promise<void> => {
  const { lostChanges, deliveries, lostCommands, refused } = await findLostChanges(tickAtMs, dependencies, isTimeUp);
  for (const { eventId, code } of refused) log('error', 'change.refused', { event_id: eventId, code });
  if (lostChanges + lostCommands > 0) {
    log('warn', 'changes.resubmitted', { events: lostChanges, deliveries, commands: lostCommands });
  }
  await publishMetrics({ lostChanges: lostChanges + lostCommands });
};

/**
 * Writes the heartbeat row, so that the stream always has a recent record. A failure is logged and does not stop the
 * roll-up.
 */
const writeHeartbeat = (): Promise<void> =>
  beat().catch((error) => log('warn', 'heartbeat.failed', { error: describeError(error) }));

/**
 * Counts the deliveries of finished hours and finds lost deliveries. Once a week, extends the retention of events with
 * unfinished deliveries. Then finds changes that the stream lost.
 */
export const handler = async (event: Pick<ScheduledEvent, 'time'>, context: Context): Promise<void> => {
  const isTimeUp = () => context.getRemainingTimeInMillis() < STOP_BEFORE_MS;
  const tickAtMs = Date.parse(event.time);
  let rolledUp: RollUpReport | undefined;
  const heartbeat = writeHeartbeat();
  try {
    rolledUp = await rollUp(tickAtMs, dependencies, isTimeUp);
    await extendRetention(tickAtMs, isTimeUp);
    await fanOutLostChanges(tickAtMs, isTimeUp);
  } finally {
    await heartbeat;
    const aws = takeAwsUse();
    log('info', 'hours.rolled-up', { tick: event.time, ...rolledUp, aws });
    await publishMetrics({ throttles: aws.throttles });
  }
};
