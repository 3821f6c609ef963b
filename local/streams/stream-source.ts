import { setTimeout as sleep } from 'node:timers/promises';
import type { MappedSource } from '../functions/event-source.ts';
import { createFilter } from './filter.ts';
import { createShards, type ShardsOptions } from './shards.ts';
import type { StreamLog } from './stream-log.ts';
import { createStreamReader } from './stream-reader.ts';

export interface StreamSource extends MappedSource {
  /**
   * Makes the source read its table's stream now and not at its next poll. Called when a record may have been written.
   */
  wake(): void;
}

export interface StreamSourceOptions extends ShardsOptions {
  readonly endpoint: string;
  readonly tableName: string;
  /**
   * Access to the DynamoDB engine's file; undefined if the file is not accessible. The file shows in microseconds
   * whether the stream has new records, which saves calls to the engine.
   */
  readonly streamLog: StreamLog | undefined;
}

/**
 * Milliseconds between two reads of a stream: while records arrive (`activeMs`), and later (`idleMs`). Calls to the
 * engine are rarer than checks of the engine's file because calls cost more.
 */
const pacing = { file: { activeMs: 5, idleMs: 25 }, calls: { activeMs: 10, idleMs: 150 } };
const ACTIVE_FOR_MS = 2000;
/**
 * Milliseconds between a read that found records and the next read, so that many writers fill the batches. The first
 * record after a pause is read at once. Lambda reads a shard four times a second, and again after each batch:
 * https://docs.aws.amazon.com/lambda/latest/dg/with-ddb.html
 */
const GATHER_MS = 25;
const TRIM_EVERY_MS = 500;
const MAX_PENDING = 4000;

/**
 * Starts to invoke the mapping's function with the records of a table's stream, as Lambda's poller does. The position
 * in the stream is stored in the journal.
 */
export const startStreamSource = (options: StreamSourceOptions): StreamSource => {
  const { endpoint, tableName, streamArn, mapping, streamLog, log } = options;
  const shards = createShards(options);
  const reader = createStreamReader(endpoint, streamArn, shards.positions, mapping.startingPosition);
  const isWanted = createFilter(mapping.filterCriteria);
  let isStopped = false;
  let isEnabled = true;
  let lastReadSequence = Object.values(shards.positions)[0] ?? '0';
  let lastRecordAtMs = 0;
  let woken = Promise.withResolvers<void>();

  const read = async (): Promise<void> => {
    if (!isEnabled || shards.pendingCount() > MAX_PENDING) return;
    if (streamLog && !streamLog.hasAfter(tableName, lastReadSequence)) return;
    const recordsByShard = await reader.read();
    if (isStopped) return;
    for (const [shardId, records] of recordsByShard) {
      lastRecordAtMs = Date.now();
      for (const record of records) shards.push(shardId, record, isWanted(record));
      lastReadSequence = records.at(-1)?.dynamodb.SequenceNumber ?? lastReadSequence;
    }
    if (recordsByShard.size > 0) shards.advance();
  };

  let reading: Promise<void> = Promise.resolve();
  const readInTurn = (): Promise<void> => {
    reading = reading.then(read).catch((error: Error) => {
      if (!isStopped) log(`the stream cannot be read: ${error.message}`);
    });
    return reading;
  };

  const { activeMs, idleMs } = streamLog ? pacing.file : pacing.calls;
  const poll = async (): Promise<void> => {
    while (!isStopped) {
      await readInTurn();
      woken = Promise.withResolvers();
      const sinceRecordMs = Date.now() - lastRecordAtMs;
      await sleep(Math.max(0, GATHER_MS - sinceRecordMs));
      await Promise.race([woken.promise, sleep(sinceRecordMs < ACTIVE_FOR_MS ? activeMs : idleMs)]);
    }
  };
  void poll();
  const trimmer = startTrimmer(tableName, shards.positions, streamLog);

  return {
    wake: () => woken.resolve(),
    async isIdle() {
      await readInTurn();
      return shards.pendingCount() === 0 && !(isEnabled && streamLog?.hasAfter(tableName, lastReadSequence));
    },
    get isEnabled() {
      return isEnabled;
    },
    enable() {
      isEnabled = true;
      woken.resolve();
    },
    disable() {
      isEnabled = false;
    },
    stop() {
      isStopped = true;
      clearInterval(trimmer);
      woken.resolve();
      shards.stop();
    },
  };
};

/**
 * Starts a timer that removes processed stream records from the engine's file, because the engine never removes them.
 */
const startTrimmer = (
  tableName: string,
  positions: Readonly<Record<string, string>>,
  streamLog: StreamLog | undefined,
): NodeJS.Timeout => {
  let trimmedTo: string | undefined;
  return setInterval(() => {
    const position = Object.values(positions)[0];
    if (position !== undefined && position !== trimmedTo && streamLog?.trim(tableName, position)) trimmedTo = position;
  }, TRIM_EVERY_MS);
};
