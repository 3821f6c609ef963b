import type { FunctionPool } from '../functions/function-pool.ts';
import type { Journal } from '../state/journal.ts';
import { createStreamLane, type Entry, type StreamLane, type StreamMapping } from './stream-lane.ts';
import type { StreamRecord } from './stream-reader.ts';

/**
 * Returns the FNV-1a hash of a record's keys. It selects the record's lane, so that records with the same keys always
 * have the same lane.
 */
const hash = (text: string): number => {
  let value = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193);
  return value >>> 0;
};

class Shard {
  readonly #lanes: readonly StreamLane[];
  #pending: Entry[] = [];
  /** The sequence number up to which all records of the shard are processed; undefined before the first. */
  position: string | undefined;

  constructor(lanes: readonly StreamLane[], position: string | undefined) {
    this.#lanes = lanes;
    this.position = position;
  }

  get pendingCount(): number {
    return this.#pending.length;
  }

  push(record: StreamRecord, isWanted: boolean): void {
    const entry = { record, isDone: !isWanted };
    this.#pending.push(entry);
    if (isWanted) this.#lanes[hash(JSON.stringify(record.dynamodb.Keys)) % this.#lanes.length]?.push(entry);
  }

  /**
   * Moves the position to the last record before the first unprocessed record, and removes the processed records from
   * the list.
   */
  advance(): void {
    let count = 0;
    while (this.#pending[count]?.isDone) count++;
    if (count === 0) return;
    this.position = this.#pending[count - 1]?.record.dynamodb.SequenceNumber;
    this.#pending = this.#pending.slice(count);
  }

  stop(): void {
    for (const lane of this.#lanes) lane.stop();
  }
}

export interface Shards {
  /**
   * The position of each shard: the sequence number up to which all records are processed. The object changes as
   * records are processed.
   */
  readonly positions: Readonly<Record<string, string>>;
  /**
   * Adds a record to a shard. A record that the mapping's filter excludes (`isWanted` is false) counts as processed.
   */
  push(shardId: string, record: StreamRecord, isWanted: boolean): void;
  pendingCount(): number;
  /** Moves the positions of all shards behind their processed records and writes the positions to the journal. */
  advance(): void;
  stop(): void;
}

export interface ShardsOptions {
  readonly streamArn: string;
  readonly mapping: StreamMapping;
  readonly pool: FunctionPool;
  readonly journal: Journal;
  readonly log: (text: string) => void;
}

/** Creates the shards of one stream mapping, with the positions that the last run wrote to the journal. */
export const createShards = ({ streamArn, mapping, pool, journal, log }: ShardsOptions): Shards => {
  const noteKey = `stream ${streamArn} ${mapping.functionName}`;
  const positions = JSON.parse(journal.read(noteKey) ?? '{}') as Record<string, string>;
  const shards = new Map<string, Shard>();

  const advance = (): void => {
    for (const [shardId, shard] of shards) {
      shard.advance();
      if (shard.position !== undefined) positions[shardId] = shard.position;
    }
    journal.write(noteKey, JSON.stringify(positions));
  };

  const shardOf = (shardId: string): Shard => {
    const existing = shards.get(shardId);
    if (existing) return existing;
    const lanes = Array.from({ length: mapping.parallelizationFactor }, () =>
      createStreamLane(mapping, streamArn, pool, log, advance),
    );
    const shard = new Shard(lanes, positions[shardId]);
    shards.set(shardId, shard);
    return shard;
  };

  return {
    positions,
    push: (shardId, record, isWanted) => shardOf(shardId).push(record, isWanted),
    pendingCount: () => [...shards.values()].reduce((sum, shard) => sum + shard.pendingCount, 0),
    advance,
    stop() {
      for (const shard of shards.values()) shard.stop();
    },
  };
};
