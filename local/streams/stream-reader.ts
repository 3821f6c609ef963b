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
  /** The next records of every shard, by shard. Empty when there are none now. */
  read(): Promise<ReadonlyMap<string, readonly StreamRecord[]>>;
}

const READ_AT_ONCE = 1000;

interface ShardPlace {
  iterator: string | undefined;
}

/** Reads a table's stream on from the given places (the last sequence number that is done, by shard), else from the mapping's start. */
export const createStreamReader = (
  endpoint: string,
  streamArn: string,
  places: Readonly<Record<string, string>>,
  startingPosition: string,
): StreamReader => {
  const call = createDynamoCall(endpoint, 'stream');
  const shards = new Map<string, ShardPlace>();
  let isStale = true;

  const iteratorOf = async (ShardId: string): Promise<string> => {
    const at = places[ShardId];
    const ask = async (position: object): Promise<string> =>
      String((await call('GetShardIterator', { StreamArn: streamArn, ShardId, ...position })).ShardIterator);
    if (at === undefined) return ask({ ShardIteratorType: startingPosition });
    try {
      return await ask({ ShardIteratorType: 'AFTER_SEQUENCE_NUMBER', SequenceNumber: at });
    } catch (error) {
      if (!(error instanceof DynamoRefusal)) throw error;
      return ask({ ShardIteratorType: 'TRIM_HORIZON' });
    }
  };

  const findShards = async (): Promise<void> => {
    const { StreamDescription } = await call('DescribeStream', { StreamArn: streamArn });
    const { Shards } = StreamDescription as { Shards: { ShardId: string }[] };
    for (const { ShardId } of Shards) {
      if (!shards.has(ShardId)) shards.set(ShardId, { iterator: await iteratorOf(ShardId) });
    }
    // A table that nothing was ever written to may have no shard yet.
    isStale = shards.size === 0;
  };

  return {
    async read() {
      if (isStale) await findShards();
      const found = new Map<string, readonly StreamRecord[]>();
      for (const [shardId, place] of shards) {
        if (place.iterator === undefined) continue;
        const answer = await call('GetRecords', { ShardIterator: place.iterator, Limit: READ_AT_ONCE });
        const records = answer.Records as StreamRecord[];
        if (records.length > 0) found.set(shardId, records);
        place.iterator = answer.NextShardIterator as string | undefined;
        // The shard has ended, and others have taken its place.
        if (place.iterator === undefined) isStale = true;
      }
      return found;
    },
  };
};
