import { createDynamoCall, DynamoRefusal } from '../tables/dynamo-call.ts';

export interface StreamRecord {
  readonly eventID: string;
  readonly eventName: string;
  readonly dynamodb: {
    readonly Keys: object;
    readonly SequenceNumber: string;
    readonly SizeBytes?: number;
  };
}

export interface StreamReader {
  /** Reads the next records of every shard. The map has only shards with new records. */
  read(): Promise<ReadonlyMap<string, readonly StreamRecord[]>>;
}

const READ_LIMIT = 1000;

interface ShardIterator {
  iterator: string | undefined;
}

/**
 * Creates a reader of a table's stream. The reader starts each shard after the shard's position (the sequence number of
 * its last processed record), or at the mapping's starting position if the shard has no position.
 */
export const createStreamReader = (
  endpoint: string,
  streamArn: string,
  positions: Readonly<Record<string, string>>,
  startingPosition: string,
): StreamReader => {
  const call = createDynamoCall(endpoint, 'stream');
  const shards = new Map<string, ShardIterator>();
  let isStale = true;

  const iteratorOf = async (ShardId: string): Promise<string> => {
    const position = positions[ShardId];
    const iteratorAt = async (start: object): Promise<string> =>
      String((await call('GetShardIterator', { StreamArn: streamArn, ShardId, ...start })).ShardIterator);
    if (position === undefined) return iteratorAt({ ShardIteratorType: startingPosition });
    try {
      return await iteratorAt({ ShardIteratorType: 'AFTER_SEQUENCE_NUMBER', SequenceNumber: position });
    } catch (error) {
      if (!(error instanceof DynamoRefusal)) throw error;
      return iteratorAt({ ShardIteratorType: 'TRIM_HORIZON' });
    }
  };

  const findShards = async (): Promise<void> => {
    const { StreamDescription } = await call('DescribeStream', { StreamArn: streamArn });
    const { Shards } = StreamDescription as { Shards: { ShardId: string }[] };
    for (const { ShardId } of Shards) {
      if (!shards.has(ShardId)) shards.set(ShardId, { iterator: await iteratorOf(ShardId) });
    }
    // The next read looks for shards again if none was found, because a table without any write may have no shard.
    isStale = shards.size === 0;
  };

  return {
    async read() {
      if (isStale) await findShards();
      const recordsByShard = new Map<string, readonly StreamRecord[]>();
      for (const [shardId, shard] of shards) {
        if (shard.iterator === undefined) continue;
        const response = await call('GetRecords', { ShardIterator: shard.iterator, Limit: READ_LIMIT });
        const records = response.Records as StreamRecord[];
        if (records.length > 0) recordsByShard.set(shardId, records);
        shard.iterator = response.NextShardIterator as string | undefined;
        // A shard without a next iterator has ended. The next read looks for the shards that replace it.
        if (shard.iterator === undefined) isStale = true;
      }
      return recordsByShard;
    },
  };
};
