import type { DynamoDBRecord } from 'aws-lambda';
import { dynamoClient, sqsClient, takeAwsUse } from '../adapters/aws/aws-clients.ts';
import { refusalCodeOf } from '../adapters/aws/refusal.ts';
import { createDeliveryQueue } from '../adapters/deliveries/delivery-queue.ts';
import { createFailuresQueue } from '../adapters/fan-out/failures-queue.ts';
import { createFanOutStore } from '../adapters/fan-out/fan-out-store.ts';
import { imageToChange } from '../adapters/fan-out/stream-record.ts';
import { builtInEventType } from '../domain/events/built-in-types.ts';
import { carryOut } from '../domain/fan-out/carry-out.ts';
import type { Change } from '../domain/fan-out/fan-out.ts';
import { streamHandler } from '../runtime/batch.ts';
import { readConfig, service } from '../runtime/config.ts';
import { describeError, log } from '../runtime/log.ts';
import { publishMetrics } from '../runtime/metrics.ts';

const config = readConfig([
  'domainTable',
  'deliveryTable',
  'deliveriesQueueUrl',
  'failuresQueueUrl',
  'retentionDays',
  'scheduleSpeed',
]);
const sqs = sqsClient();
const failures = createFailuresQueue(sqs, config.failuresQueueUrl);
/** Numbers of events and deliveries that this invocation has fanned out. */
let fannedOut = { events: 0, deliveries: 0 };
const dependencies = {
  store: createFanOutStore(
    dynamoClient(),
    { domain: config.domainTable, delivery: config.deliveryTable },
    config.retentionDays,
    (type) => builtInEventType(type)?.isOperational === true,
    config.scheduleSpeed,
  ),
  queue: createDeliveryQueue(sqs, config.deliveriesQueueUrl, config.scheduleSpeed),
  clock: Date.now,
  onFannedOut(deliveries: number) {
    fannedOut.events++;
    fannedOut.deliveries += deliveries;
  },
};

/** Milliseconds before its timeout at which the fan-out stops. A killed invocation would repeat its finished work. */
const STOP_BEFORE_MS = 10_000;

/** Returns whether a record is the removal of the heartbeat row. The stream's filters let no other removal pass. */
const isHeartbeat = ({ dynamodb }: DynamoDBRecord): boolean => dynamodb?.NewImage === undefined;

const changeOf = async (record: DynamoDBRecord): Promise<Change[]> => {
  const image = record.dynamodb?.NewImage;
  if (!image) return [];
  try {
    const change = imageToChange(image);
    // Ignores changes of events and commands, such as the mark of a command that is carried out: they are handled when they
    // are inserted, and a command also when it is submitted again.
    const isRelevant =
      record.eventName === 'INSERT' ||
      !['event', 'command'].includes(image.kind?.S ?? '') ||
      image.resubmitted_at !== undefined;
    return change && isRelevant ? [change] : [];
  } catch (error) {
    log('error', 'record.unreadable', { event_id: record.eventID, error: describeError(error) });
    await failures.putAside(record, 'this release cannot parse the row');
    return [];
  }
};

export const handler = streamHandler(async (records, { deadlineMs }) => {
  fannedOut = { events: 0, deliveries: 0 };
  let progress = {};
  try {
    const changesOfRecords = await Promise.all(records.map(changeOf));
    const changes = changesOfRecords.flat();
    const recordIndexOf = changesOfRecords.flatMap((own, index) => own.map(() => index));
    const putAside = async (index: number, code: string): Promise<void> => {
      const record = records[recordIndexOf[index] ?? 0];
      log('error', 'record.refused', { event_id: record?.eventID, code });
      if (record) await failures.putAside(record, `the change was refused with ${code}`);
    };
    const isTimeUp = () => Date.now() > deadlineMs - STOP_BEFORE_MS;
    const done = await carryOut(changes, { ...dependencies, refusalCodeOf, putAside }, isTimeUp);
    progress = { changes: changes.length, done };
    return done === changes.length ? [] : records.slice(recordIndexOf[done]);
  } finally {
    // The batch's log line and metrics are written even if the batch throws, because a common cause is a throttled
    // table, and the metrics count the throttles.
    const aws = takeAwsUse();
    if (!records.every(isHeartbeat)) {
      log('info', 'records.fanned-out', { service, records: records.length, ...progress, ...fannedOut, aws });
    }
    await publishMetrics({ throttles: aws.throttles });
  }
});
