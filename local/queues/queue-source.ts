import { setTimeout as sleep } from 'node:timers/promises';
import { failedIds } from '../functions/batch-failures.ts';
import type { MappedSource } from '../functions/event-source.ts';
import type { FunctionPool } from '../functions/function-pool.ts';
import { REGION } from '../template/intrinsics.ts';
import type { LocalQueue, ReceivedMessage } from './queues.ts';

export interface QueueMapping {
  readonly functionName: string;
  readonly batchSize: number;
  readonly windowSeconds: number;
  readonly maxConcurrency: number;
  readonly reportsFailures: boolean;
}

/**
 * The limit of a queue's concurrent invocations at the start of a load, and the limit's growth during a backlog. Lambda
 * starts with five pollers and adds 300 a minute:
 * https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html
 */
const FIRST_CONCURRENCY = 5;
const RAMP = { step: 5, everyMs: 1000 };

const attributesOf = (
  record: Readonly<Record<string, { DataType: string; StringValue?: string; BinaryValue?: string }>>,
) =>
  Object.fromEntries(
    Object.entries(record).map(([name, { DataType, StringValue, BinaryValue }]) => [
      name,
      {
        dataType: DataType,
        stringValue: StringValue,
        binaryValue: BinaryValue,
        stringListValues: [],
        binaryListValues: [],
      },
    ]),
  );

const toRecord = ({ receiptHandle, message }: ReceivedMessage, arn: string): object => ({
  messageId: message.messageId,
  receiptHandle,
  body: message.body,
  attributes: {
    ApproximateReceiveCount: String(message.approximateReceiveCount),
    SentTimestamp: String(message.sentTimestamp),
    SenderId: 'local',
    ApproximateFirstReceiveTimestamp: String(message.approximateFirstReceiveTimestamp ?? message.sentTimestamp),
    ...(message.messageGroupId ? { MessageGroupId: message.messageGroupId } : {}),
  },
  messageAttributes: attributesOf(message.messageAttributes),
  md5OfBody: message.md5OfBody,
  eventSource: 'aws:sqs',
  eventSourceARN: arn,
  awsRegion: REGION,
});

/**
 * Invokes the function with the batch that `receive` returns when an environment is free, and deletes the successful
 * messages from the queue. A failed message stays until its visibility timeout ends. Does nothing if the batch is empty.
 */
const processBatch = async (
  receive: () => Promise<ReceivedMessage[]>,
  queue: LocalQueue,
  { functionName, reportsFailures }: QueueMapping,
  pool: FunctionPool,
): Promise<void> => {
  let batch: ReceivedMessage[] = [];
  const result = await pool.invokeWhenFree(functionName, async () => {
    batch = await receive();
    return batch.length === 0 ? null : { Records: batch.map((received) => toRecord(received, queue.arn)) };
  });
  const sent = new Set(batch.map(({ message }) => message.messageId));
  const failed = result && failedIds(result, sent, reportsFailures);
  if (failed === null) return;
  for (const { receiptHandle, message } of batch) if (!failed.has(message.messageId)) queue.delete(receiptHandle);
};

/**
 * Receives a batch of messages. With a batching window, waits for more messages until the batch is full or the window
 * ends.
 */
const receiveBatch = async (
  queue: LocalQueue,
  { batchSize, windowSeconds }: QueueMapping,
  visibilityTimeoutSeconds: number | undefined,
  isStopped: () => boolean,
): Promise<ReceivedMessage[]> => {
  const batch = queue.receive(Math.min(batchSize, 10), visibilityTimeoutSeconds);
  if (windowSeconds === 0 || batch.length === 0) return batch;
  const endMs = Date.now() + windowSeconds * 1000;
  while (batch.length < batchSize && Date.now() < endMs && !isStopped()) {
    await Promise.race([queue.arrival(), sleep(endMs - Date.now(), undefined, { ref: false })]);
    batch.push(...queue.receive(Math.min(batchSize - batch.length, 10), visibilityTimeoutSeconds));
  }
  return batch;
};

/** Starts to invoke the mapping's function with a queue's messages, as Lambda's poller does. */
export const startQueueSource = (
  queue: LocalQueue,
  mapping: QueueMapping,
  pool: FunctionPool,
  visibilityTimeoutSeconds: number | undefined,
): MappedSource => {
  let limit = Math.min(FIRST_CONCURRENCY, mapping.maxConcurrency);
  let running = 0;
  let isStopped = false;
  let limitChangedAtMs = 0;
  /** The number of invocations that wait for an environment and have not received their messages yet. */
  let waiting = 0;
  let received = Promise.withResolvers<void>();
  let batchEnded = Promise.withResolvers<void>();
  /**
   * A promise while the mapping is disabled, resolved when the mapping is enabled; null while the mapping is enabled.
   */
  let enabling: PromiseWithResolvers<void> | null = null;

  /**
   * Raises the limit of concurrent invocations during a backlog, unless the processors are saturated and more threads
   * would not help.
   */
  const raiseLimit = (): void => {
    const nowMs = Date.now();
    if (nowMs - limitChangedAtMs < RAMP.everyMs || pool.isSaturated(mapping.functionName)) return;
    limitChangedAtMs = nowMs;
    limit = Math.min(limit + RAMP.step, mapping.maxConcurrency);
  };

  const receive = (): Promise<ReceivedMessage[]> => {
    waiting--;
    received.resolve();
    if (isStopped || enabling) return Promise.resolve([]);
    return receiveBatch(queue, mapping, visibilityTimeoutSeconds, () => isStopped);
  };

  const poll = async (): Promise<void> => {
    while (!isStopped) {
      await enabling?.promise;
      await queue.arrival();
      while (running >= limit && !isStopped) {
        batchEnded = Promise.withResolvers();
        await Promise.race([batchEnded.promise, sleep(RAMP.everyMs / 4, undefined, { ref: false })]);
        if (running >= limit) raiseLimit();
      }
      if (isStopped) return;
      if (enabling) continue;
      if (queue.depth().visible <= waiting * mapping.batchSize) {
        received = Promise.withResolvers();
        if (waiting > 0) await received.promise;
        continue;
      }
      if (running === 0) {
        limit = Math.min(FIRST_CONCURRENCY, mapping.maxConcurrency);
        limitChangedAtMs = Date.now();
      }
      running++;
      waiting++;
      void processBatch(receive, queue, mapping, pool).finally(() => {
        running--;
        batchEnded.resolve();
      });
    }
  };
  void poll();

  return {
    async isIdle() {
      const { visible, inFlight } = queue.depth();
      return running === 0 && inFlight === 0 && (visible === 0 || enabling !== null);
    },
    get isEnabled() {
      return enabling === null;
    },
    enable() {
      enabling?.resolve();
      enabling = null;
    },
    disable() {
      enabling ??= Promise.withResolvers();
    },
    stop() {
      isStopped = true;
      batchEnded.resolve();
      received.resolve();
      enabling?.resolve();
    },
  };
};
