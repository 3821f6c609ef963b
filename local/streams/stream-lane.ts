import { setTimeout as sleep } from 'node:timers/promises';
import { failedIds } from '../functions/batch-failures.ts';
import type { FunctionPool } from '../functions/function-pool.ts';
import { REGION } from '../template/intrinsics.ts';
import type { StreamRecord } from './stream-reader.ts';

export interface StreamMapping {
  readonly functionName: string;
  readonly batchSize: number;
  readonly windowSeconds: number;
  readonly parallelizationFactor: number;
  readonly reportsFailures: boolean;
  readonly bisects: boolean;
  /** The maximum number of retries of a failed batch before its records are dropped; -1 means no limit. */
  readonly maxRetries: number;
  readonly startingPosition: string;
  readonly filterCriteria: unknown;
}

export interface Entry {
  readonly record: StreamRecord;
  isDone: boolean;
}

/**
 * One of the parallel lanes into which a shard's records are divided by their keys. A lane processes one batch at a time,
 * so records with the same key stay in order.
 */
export interface StreamLane {
  push(entry: Entry): void;
  stop(): void;
}

const MAX_EVENT_BYTES = 5_000_000;
const BACKOFF = { firstMs: 100, longestMs: 1000 };

/**
 * Returns the first waiting entries for a batch: at most `maxCount` entries and at most `MAX_EVENT_BYTES` bytes, but at
 * least one entry.
 */
const firstEntries = (waiting: readonly Entry[], maxCount: number): Entry[] => {
  let bytes = 0;
  let count = 0;
  for (const { record } of waiting) {
    bytes += record.dynamodb.SizeBytes ?? 0;
    if (count === maxCount || (count > 0 && bytes > MAX_EVENT_BYTES)) break;
    count++;
  }
  return waiting.slice(0, count);
};

/**
 * Invokes the function with the batch that `choose` returns when an environment is free. Returns the numbers of entries
 * in the batch and before the first failed entry.
 */
const processBatch = async (
  choose: () => readonly Entry[],
  { functionName, reportsFailures }: StreamMapping,
  streamArn: string,
  pool: FunctionPool,
): Promise<{ size: number; done: number }> => {
  let batch: readonly Entry[] = [];
  const result = await pool.invokeWhenFree(functionName, () => {
    batch = choose();
    return { Records: batch.map(({ record }) => ({ ...record, awsRegion: REGION, eventSourceARN: streamArn })) };
  });
  const ids = batch.map(({ record }) => record.dynamodb.SequenceNumber);
  const failed = result && failedIds(result, new Set(ids), reportsFailures);
  if (failed === null) return { size: batch.length, done: 0 };
  return { size: batch.length, done: failed.size === 0 ? batch.length : ids.findIndex((id) => failed.has(id)) };
};

/**
 * Starts a lane, which invokes the function with batches of pushed entries and retries failed batches. `onDone` is
 * called whenever entries have been marked as done.
 */
export const createStreamLane = (
  mapping: StreamMapping,
  streamArn: string,
  pool: FunctionPool,
  log: (text: string) => void,
  onDone: () => void,
): StreamLane => {
  const { batchSize, windowSeconds, bisects, maxRetries } = mapping;
  let waiting: Entry[] = [];
  let isStopped = false;
  let arrived = Promise.withResolvers<void>();

  const finish = (count: number): void => {
    for (const entry of waiting.slice(0, count)) entry.isDone = true;
    waiting = waiting.slice(count);
    if (count > 0) onDone();
  };

  const run = async (): Promise<void> => {
    let tries = 0;
    let maxCount = batchSize;
    while (!isStopped) {
      if (waiting.length === 0) {
        arrived = Promise.withResolvers();
        await arrived.promise;
        if (windowSeconds > 0) await waitForFullBatch(windowSeconds * 1000);
        continue;
      }
      const { size, done } = await processBatch(() => firstEntries(waiting, maxCount), mapping, streamArn, pool);
      finish(done);
      if (isStopped) return;
      if (done === size) {
        tries = 0;
        maxCount = batchSize;
        continue;
      }
      tries = done > 0 ? 1 : tries + 1;
      if (bisects) maxCount = Math.max(1, Math.ceil((size - done) / 2));
      if (maxRetries >= 0 && tries > maxRetries) {
        log(`dropped ${size - done} records of the stream after ${tries} tries`);
        finish(size - done);
        tries = 0;
      } else await pause(Math.min(BACKOFF.firstMs * 2 ** (tries - 1), BACKOFF.longestMs));
    }
  };

  const pause = (ms: number): Promise<void> => sleep(ms, undefined, { ref: false });
  const waitForFullBatch = async (ms: number): Promise<void> => {
    const endMs = Date.now() + ms;
    while (waiting.length < batchSize && Date.now() < endMs && !isStopped)
      await pause(Math.min(20, endMs - Date.now()));
  };

  void run();
  return {
    push(entry) {
      waiting.push(entry);
      arrived.resolve();
    },
    stop() {
      isStopped = true;
      arrived.resolve();
    },
  };
};
