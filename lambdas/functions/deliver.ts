import { setTimeout as wait } from 'node:timers/promises';
import type { SQSRecord } from 'aws-lambda';
import { dynamoClient, secretsClient, sqsClient, takeAwsUse } from '../adapters/aws/aws-clients.ts';
import { createDeliveryQueue, ticketFromMessage } from '../adapters/deliveries/delivery-queue.ts';
import { createKeyring } from '../adapters/keyring/keyring.ts';
import { readSigningKeys } from '../adapters/keyring/signing-keys-table.ts';
import { createDeliveriesTable } from '../adapters/sending/deliveries-table.ts';
import { createEgress } from '../adapters/sending/egress.ts';
import { createSender } from '../adapters/sending/http-sender.ts';
import { createRateLimits } from '../adapters/sending/rate-limits.ts';
import { createReceiverSpeeds } from '../adapters/sending/receiver-speed.ts';
import { createWebhookHealth } from '../adapters/sending/webhook-health.ts';
import type { DeliveryOutcome } from '../domain/sending/batch-run.ts';
import { type DeliverDependencies, deliverBatch } from '../domain/sending/deliver-batch.ts';
import { outcomeFigures, outcomeLine } from '../domain/sending/delivery-report.ts';
import { createLaneMemory } from '../domain/sending/slow-lane.ts';
import type { Assignment } from '../domain/sending/triage.ts';
import { profileOf } from '../profiles/index.ts';
import { queueHandler } from '../runtime/batch.ts';
import { readConfig, service } from '../runtime/config.ts';
import { describeError, log } from '../runtime/log.ts';
import { publishMetrics } from '../runtime/metrics.ts';

const config = readConfig([
  'domainTable',
  'deliveryTable',
  'deliveriesQueueUrl',
  'slowQueueUrl',
  'keyringSecret',
  'retentionDays',
  'ownHosts',
  'scheduleSpeed',
  'autoDisableAfterHours',
  'egressAllow',
]);
const dynamo = dynamoClient();
const sqs = sqsClient();
const table = createDeliveriesTable(
  dynamo,
  { domain: config.domainTable, delivery: config.deliveryTable },
  config.retentionDays,
);
let keyringUnreadable = 0;
const keyring = createKeyring({
  secrets: secretsClient(),
  secretId: config.keyringSecret,
  readSigningKeys: (owner, alg) => readSigningKeys(dynamo, config.domainTable, owner, alg),
  clock: Date.now,
  onUnreadable: (error) => {
    keyringUnreadable++;
    log('error', 'keyring.unreadable', { error: describeError(error) });
  },
});
const egress = createEgress({ allowLoopback: config.egressAllow === 'loopback' });
const sender = createSender({ egress, ownHosts: config.ownHosts });
const dependencies: DeliverDependencies = {
  store: {
    ...table,
    ...createReceiverSpeeds(dynamo, config.deliveryTable),
    ...createRateLimits(dynamo, config.deliveryTable),
    ...createWebhookHealth(
      dynamo,
      { domain: config.domainTable, delivery: config.deliveryTable },
      config.retentionDays,
    ),
  },
  queue: createDeliveryQueue(sqs, config.deliveriesQueueUrl, config.scheduleSpeed),
  slowQueue: createDeliveryQueue(sqs, config.slowQueueUrl, config.scheduleSpeed),
  memory: createLaneMemory(),
  accountMinutes: new Map(),
  speed: config.scheduleSpeed,
  autoDisableAfterHours: config.autoDisableAfterHours,
  wait,
  profileOf,
  open: keyring.openWebhook,
  post: sender.post,
  clock: Date.now,
};

const isSlowLane = ({ eventSourceARN }: SQSRecord): boolean =>
  config.slowQueueUrl.endsWith(`/${eventSourceARN.split(':').at(-1)}`);

/**
 * Returns an array with one element: the SQS record with its ticket. If the message is not a ticket, logs the message
 * and returns an empty array, which drops it, because no retry can deliver it.
 */
const ticketOfRecord = (record: SQSRecord) => {
  try {
    return [{ record, ticket: ticketFromMessage(record.body) }];
  } catch (error) {
    log('error', 'message.unreadable', { message_id: record.messageId, error: describeError(error) });
    return [];
  }
};

/**
 * Returns each message with the rows that its attempt needs. A message whose rows this release cannot parse is logged
 * and added to `failed`.
 */
const assignmentsOf = async (records: readonly SQSRecord[], failed: Set<string>): Promise<Assignment[]> => {
  const messages = records.flatMap(ticketOfRecord);
  const rowsOfMessages = await table.read(messages.map(({ ticket }) => ticket));
  return messages.flatMap(({ record, ticket }, index) => {
    const rows = rowsOfMessages[index];
    if (rows === undefined || rows instanceof Error) {
      log('error', 'delivery.unreadable', { delivery_id: ticket.deliveryId, error: describeError(rows) });
      failed.add(record.messageId);
      return [];
    }
    const isRedelivered = Number(record.attributes.ApproximateReceiveCount) > 1;
    return [{ messageId: record.messageId, ticket, isRedelivered, ...rows }];
  });
};

const reportBatch = async (
  records: number,
  outcomes: readonly DeliveryOutcome[],
  lane: 'fast' | 'slow',
  failed: number,
): Promise<void> => {
  const aws = takeAwsUse();
  log('info', 'batch.finished', { records, lane, aws });
  const figures = { ...outcomeFigures(outcomes, lane), failed, keyringUnreadable, throttles: aws.throttles };
  keyringUnreadable = 0;
  await publishMetrics(figures);
};

export const handler = queueHandler(async (records) => {
  const lane = records.some(isSlowLane) ? 'slow' : 'fast';
  const failed = new Set<string>();
  let outcomes: readonly DeliveryOutcome[] = [];
  try {
    outcomes = await deliverBatch(await assignmentsOf(records, failed), lane, dependencies);
    for (const outcome of outcomes) {
      const isFailed = outcome.outcome === 'failed';
      if (isFailed) failed.add(outcome.messageId);
      const line = { service, ...outcomeLine(outcome, lane), ...(isFailed && { cause: describeError(outcome.cause) }) };
      log(isFailed ? 'error' : 'info', 'delivery.attempted', line);
    }
    return records.filter(({ messageId }) => failed.has(messageId));
  } finally {
    // The batch's log line and metrics are written even if the batch throws, because a common cause is a throttled
    // table, and the metrics count the throttles.
    await reportBatch(records.length, outcomes, lane, failed.size);
  }
});
