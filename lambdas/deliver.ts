import { setTimeout as wait } from 'node:timers/promises';
import type { SQSRecord } from 'aws-lambda';
import { createAnswerSpeedRows } from './adapters/answer-speed-rows.ts';
import { dynamoClient, secretsClient, sqsClient, takeAwsUse } from './adapters/aws-clients.ts';
import { createDeliveriesTable } from './adapters/deliveries-table.ts';
import { createDeliveryQueue, ticketFromMessage } from './adapters/delivery-queue.ts';
import { createEgress } from './adapters/egress.ts';
import { createSender } from './adapters/http-sender.ts';
import { createKeyring } from './adapters/keyring.ts';
import { createPaceRows } from './adapters/pace-rows.ts';
import { createWebhookHealth } from './adapters/webhook-health.ts';
import { type DeliverDependencies, deliverBatch } from './domain/deliver-batch.ts';
import { outcomeLine } from './domain/outcome-line.ts';
import { createLaneMemory } from './domain/slow-lane.ts';
import { profileOf } from './profiles/index.ts';
import { queueHandler } from './runtime/batch.ts';
import { readConfig } from './runtime/config.ts';
import { describeError, log } from './runtime/log.ts';

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
const keyring = createKeyring(secretsClient(), config.keyringSecret, Date.now);
const egress = createEgress({ allowLoopback: config.egressAllow === 'loopback' });
const sender = createSender({ egress, ownHosts: config.ownHosts });
const dependencies: DeliverDependencies = {
  store: {
    ...table,
    ...createAnswerSpeedRows(dynamo, config.deliveryTable),
    ...createPaceRows(dynamo, config.deliveryTable),
    ...createWebhookHealth(
      dynamo,
      { domain: config.domainTable, delivery: config.deliveryTable },
      config.retentionDays,
    ),
  },
  queue: createDeliveryQueue(sqs, config.deliveriesQueueUrl, config.scheduleSpeed),
  slowQueue: createDeliveryQueue(sqs, config.slowQueueUrl, config.scheduleSpeed),
  memory: createLaneMemory(),
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

/** A message that is none of ours can never be delivered: it is told of, and done. */
const ticketOfRecord = (record: SQSRecord) => {
  try {
    return [{ record, ticket: ticketFromMessage(record.body) }];
  } catch (error) {
    log('error', 'message.unreadable', { message_id: record.messageId, error: describeError(error) });
    return [];
  }
};

export const handler = queueHandler(async (records) => {
  const messages = records.flatMap(ticketOfRecord);
  const found = await table.read(messages.map(({ ticket }) => ticket));
  const failed = new Set<string>();
  const lane = records.some(isSlowLane) ? 'slow' : 'fast';
  const assignments = messages.flatMap(({ record, ticket }, index) => {
    const rows = found[index];
    if (rows === undefined || rows instanceof Error) {
      log('error', 'delivery.unreadable', { delivery_id: ticket.deliveryId, error: describeError(rows) });
      failed.add(record.messageId);
      return [];
    }
    const isRedelivered = Number(record.attributes.ApproximateReceiveCount) > 1;
    return [{ messageId: record.messageId, ticket, isRedelivered, ...rows }];
  });
  const outcomes = await deliverBatch(assignments, lane, dependencies);
  for (const outcome of outcomes) {
    const isFailed = outcome.outcome === 'failed';
    if (isFailed) failed.add(outcome.messageId);
    const line = { ...outcomeLine(outcome, lane), ...(isFailed && { cause: describeError(outcome.cause) }) };
    log(isFailed ? 'error' : 'info', 'delivery.attempted', line);
  }
  log('info', 'batch.finished', { records: records.length, lane, aws: takeAwsUse() });
  return records.filter(({ messageId }) => failed.has(messageId));
});
