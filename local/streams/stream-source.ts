import { setTimeout as sleep } from 'node:timers/promises';
import type { MappedSource } from '../functions/event-source.ts';
import type { FunctionPool } from '../functions/function-pool.ts';
import type { Journal } from '../state/journal.ts';
import { createFilter } from './filter.ts';
import { createStreamLane, type Entry, type StreamLane, type StreamMapping } from './stream-lane.ts';
import type { StreamLog } from './stream-log.ts';
import { createStreamReader, type StreamRecord } from './stream-reader.ts';

export interface StreamSource extends MappedSource {
  /** Something may have been written: look now. */
  wake(): void;
}

export interface StreamSourceOptions {
  readonly endpoint: string;
  readonly tableName: string;
  readonly streamArn: string;
  readonly mapping: StreamMapping;
  readonly pool: FunctionPool;
  readonly journal: Journal;
  /** Where the engine's file is at hand: tells in microseconds whether reading is worth a call. */
  readonly streamLog: StreamLog | undefined;
  readonly log: (text: string) => void;
}

/** How long to wait between looks, soon after something came and later on. A call costs what a look at the file does not. */
const pacing = { file: { activeMs: 5, idleMs: 25 }, calls: { activeMs: 10, idleMs: 150 } };
const ACTIVE_FOR_MS = 2000;
const TRIM_EVERY_MS = 500;
const MOST_PENDING = 4000;

/** FNV-1a: the same key always goes to the same lane. */
const hash = (text: string): number => {
  let value = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193);
  return value >>> 0;
};

class Shard {
  readonly #lanes: readonly StreamLane[];
  #pending: Entry[] = [];
  /** The last sequence number up to which everything is done. */
  place: string | undefined;

  constructor(lanes: readonly StreamLane[], place: string | undefined) {
    this.#lanes = lanes;
    this.place = place;
  }

  get pendingCount(): number {
    return this.#pending.length;
  }

  push(record: StreamRecord, isWanted: boolean): void {
    const entry = { record, isDone: !isWanted };
    this.#pending.push(entry);
    if (isWanted) this.#lanes[hash(JSON.stringify(record.dynamodb.Keys)) % this.#lanes.length]?.push(entry);
  }

  advance(): void {
    let count = 0;
    while (this.#pending[count]?.isDone) count++;
    if (count === 0) return;
    this.place = this.#pending[count - 1]?.record.dynamodb.SequenceNumber;
    this.#pending = this.#pending.slice(count);
  }

  stop(): void {
    for (const lane of this.#lanes) lane.stop();
  }
}

/** Carries a table's stream to a function as Lambda's poller does. Its place is kept in the journal. */
export const startStreamSource = (options: StreamSourceOptions): StreamSource => {
  const { endpoint, tableName, streamArn, mapping, pool, journal, streamLog, log } = options;
  const noteKey = `stream ${streamArn} ${mapping.functionName}`;
  const places = JSON.parse(journal.read(noteKey) ?? '{}') as Record<string, string>;
  const reader = createStreamReader(endpoint, streamArn, places, mapping.startingPosition);
  const isWanted = createFilter(mapping.filterCriteria);
  const shards = new Map<string, Shard>();
  let isStopped = false;
  let isEnabled = true;
  let lastReadSequence = Object.values(places)[0] ?? '0';
  let lastFoundMs = 0;
  let woken = Promise.withResolvers<void>();

  const advance = (): void => {
    for (const [shardId, shard] of shards) {
      shard.advance();
      if (shard.place !== undefined) places[shardId] = shard.place;
    }
    journal.write(noteKey, JSON.stringify(places));
  };

  const shardOf = (shardId: string): Shard => {
    const known = shards.get(shardId);
    if (known) return known;
    const lanes = Array.from({ length: mapping.parallelizationFactor }, () =>
      createStreamLane(mapping, streamArn, pool, log, advance),
    );
    const shard = new Shard(lanes, places[shardId]);
    shards.set(shardId, shard);
    return shard;
  };

  const pendingCount = (): number => [...shards.values()].reduce((sum, shard) => sum + shard.pendingCount, 0);

  const look = async (): Promise<void> => {
    if (!isEnabled || pendingCount() > MOST_PENDING) return;
    if (streamLog && !streamLog.hasAfter(tableName, lastReadSequence)) return;
    const found = await reader.read();
    if (isStopped) return;
    for (const [shardId, records] of found) {
      lastFoundMs = Date.now();
      const shard = shardOf(shardId);
      for (const record of records) shard.push(record, isWanted(record));
      lastReadSequence = records.at(-1)?.dynamodb.SequenceNumber ?? lastReadSequence;
    }
    if (found.size > 0) advance();
  };

  let looking: Promise<void> = Promise.resolve();
  const lookInTurn = (): Promise<void> => {
    looking = looking.then(look).catch((error: Error) => {
      if (!isStopped) log(`the stream cannot be read: ${error.message}`);
    });
    return looking;
  };

  const { activeMs, idleMs } = streamLog ? pacing.file : pacing.calls;
  const poll = async (): Promise<void> => {
    while (!isStopped) {
      await lookInTurn();
      woken = Promise.withResolvers();
      const isActive = Date.now() - lastFoundMs < ACTIVE_FOR_MS;
      await Promise.race([woken.promise, sleep(isActive ? activeMs : idleMs)]);
    }
  };
  void poll();

  let trimmedTo: string | undefined;
  const trimmer = setInterval(() => {
    const place = Object.values(places)[0];
    if (place !== undefined && place !== trimmedTo && streamLog?.trim(tableName, place)) trimmedTo = place;
  }, TRIM_EVERY_MS);

  return {
    wake: () => woken.resolve(),
    async isIdle() {
      await lookInTurn();
      return pendingCount() === 0 && !(isEnabled && streamLog?.hasAfter(tableName, lastReadSequence));
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
      for (const shard of shards.values()) shard.stop();
    },
  };
};
