import { setTimeout as sleep } from 'node:timers/promises';
import type { MappedSource, Source } from '../functions/event-source.ts';
import type { FunctionPool } from '../functions/function-pool.ts';
import { startQueueSource } from '../queues/queue-source.ts';
import type { LocalQueue } from '../queues/queues.ts';
import { type StreamSource, startStreamSource } from '../streams/stream-source.ts';
import type { Engines } from './engines.ts';
import { eventMappings } from './mappings.ts';
import type { StackContext } from './stack-context.ts';

export interface SourceOptions {
  readonly engines: Pick<Engines, 'dynamoEndpoint' | 'streamLog'>;
  readonly pool: FunctionPool;
  readonly findQueue: (arn: string) => LocalQueue;
  readonly visibilityTimeoutSeconds: number | undefined;
  readonly log: (functionName: string, text: string) => void;
}

export interface Sources {
  readonly all: readonly Source[];
  readonly streams: readonly StreamSource[];
  /**
   * The sources that invoke functions with the records of a queue or a stream, by the id of their event source mapping.
   */
  readonly mapped: ReadonlyMap<string, MappedSource>;
}

/** Starts one source for each event source mapping of the template. A source invokes a function with records. */
export const startSources = (context: StackContext, options: SourceOptions): Sources => {
  const { assembly, resolve, running, journal } = context;
  const { engines, pool, findQueue, visibilityTimeoutSeconds } = options;
  const mapped = new Map<string, MappedSource>();
  const streams: StreamSource[] = [];
  for (const { kind, id, sourceArn, mapping } of eventMappings(assembly, resolve)) {
    if (kind === 'queue') {
      mapped.set(id, startQueueSource(findQueue(sourceArn), mapping, pool, visibilityTimeoutSeconds));
      continue;
    }
    const table = [...running.tables.values()].find(({ streamArn }) => streamArn === sourceArn);
    if (!table) throw new Error(`The template maps ${sourceArn}, which is not the stream of a table.`);
    const stream = startStreamSource({
      endpoint: engines.dynamoEndpoint,
      tableName: table.name,
      streamArn: sourceArn,
      mapping,
      pool,
      journal,
      streamLog: engines.streamLog,
      log: (text) => options.log(mapping.functionName, text),
    });
    streams.push(stream);
    mapped.set(id, stream);
  }
  return { all: [...mapped.values()], streams, mapped };
};

/** Waits until no invocation is running, but at most `atMostMs`. */
export const waitWhileBusy = async (pool: FunctionPool, atMostMs: number): Promise<void> => {
  const endMs = Date.now() + atMostMs;
  while (pool.running() > 0 && Date.now() < endMs) await sleep(5);
};

/**
 * Waits until all sources are idle in two checks in a row, because one source can write a record for another source that
 * was just checked. Throws after the timeout.
 */
export const waitUntilSettled = async (
  sources: readonly Source[],
  pool: FunctionPool,
  timeoutMs: number,
): Promise<void> => {
  const endMs = Date.now() + timeoutMs;
  for (let idleChecks = 0; idleChecks < 2; ) {
    const isIdle = pool.running() === 0 && (await Promise.all(sources.map((source) => source.isIdle()))).every(Boolean);
    idleChecks = isIdle ? idleChecks + 1 : 0;
    if (Date.now() > endMs) throw new Error(`The stack has not settled within ${timeoutMs} ms.`);
    await sleep(isIdle ? 2 : 10);
  }
};
