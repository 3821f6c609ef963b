import type { DynamoDBRecord } from 'aws-lambda';
import { dynamoClient, sqsClient, takeAwsUse } from '../adapters/aws/aws-clients.ts';
import { createDeliveryQueue } from '../adapters/deliveries/delivery-queue.ts';
import { createFailuresQueue } from '../adapters/fan-out/failures-queue.ts';
import { createFanOutStore } from '../adapters/fan-out/fan-out-store.ts';
import { imageToChange } from '../adapters/fan-out/stream-record.ts';
import { builtInEventType } from '../domain/events/built-in-types.ts';
import { type Change, fanOut } from '../domain/fan-out/fan-out.ts';
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
/** What the running invocation has come to. */
let told = { events: 0, deliveries: 0 };
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
    told.events++;
    told.deliveries += deliveries;
  },
};

/** Stopping in time costs nothing; being stopped half-way costs doing it again. */
const STOP_BEFORE_MS = 10_000;

/** It came to show that the stream is read, and is nothing to tell or count. */
const isHeartbeat = ({ dynamodb }: DynamoDBRecord): boolean => dynamodb?.NewImage === undefined;

const changeOf = async (record: DynamoDBRecord): Promise<Change[]> => {
  const image = record.dynamodb?.NewImage;
  if (!image) return [];
  try {
    const change = imageToChange(image);
    // Of an event or a command only its being put there is news.
    const isNews = record.eventName === 'INSERT' || !['event', 'command'].includes(image.kind?.S ?? '');
    return change && isNews ? [change] : [];
  } catch (error) {
    log('error', 'record.unreadable', { event_id: record.eventID, error: describeError(error) });
    await failures.putAside(record, 'the row is none that this release knows');
    return [];
  }
};

export const handler = streamHandler(async (records, { deadlineMs }) => {
  told = { events: 0, deliveries: 0 };
  let progress = {};
  try {
    const changes = (await Promise.all(records.map(changeOf))).map((found, index) => ({ found, index }));
    const all = changes.flatMap(({ found }) => found);
    const indexOf = changes.flatMap(({ found, index }) => found.map(() => index));
    const done = await fanOut(all, dependencies, () => Date.now() > deadlineMs - STOP_BEFORE_MS);
    progress = { changes: all.length, done };
    return done === all.length ? [] : records.slice(indexOf[done]);
  } finally {
    // Also of a batch that is thrown: a table that throttles makes it so.
    const aws = takeAwsUse();
    if (!records.every(isHeartbeat)) {
      log('info', 'records.fanned-out', { service, records: records.length, ...progress, ...told, aws });
    }
    await publishMetrics({ throttles: aws.throttles });
  }
});
