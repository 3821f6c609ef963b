import { setTimeout as sleep } from 'node:timers/promises';
import type { MappedSource, Source } from '../functions/event-source.ts';
import type { FunctionPool } from '../functions/function-pool.ts';
import { startQueueSource } from '../queues/queue-source.ts';
import type { LocalQueue } from '../queues/queues.ts';
import type { Journal } from '../state/journal.ts';
import type { StreamLog } from '../streams/stream-log.ts';
import { type StreamSource, startStreamSource } from '../streams/stream-source.ts';
import type { Resolve } from '../template/intrinsics.ts';
import type { Assembly } from '../template/template.ts';
import { eventMappings } from './mappings.ts';
import type { Running } from './references.ts';

export interface SourceContext {
  readonly endpoint: string;
  readonly running: Running;
  readonly pool: FunctionPool;
  readonly journal: Journal;
  readonly streamLog: StreamLog | undefined;
  readonly findQueue: (arn: string) => LocalQueue;
  readonly visibilityTimeoutSeconds: number | undefined;
  readonly log: (functionName: string, text: string) => void;
}

export interface Sources {
  readonly all: readonly Source[];
  readonly streams: readonly StreamSource[];
  /** By the id of their mapping. */
  readonly mapped: ReadonlyMap<string, MappedSource>;
}

/** Starts what the template's mappings carry from queues and streams to functions. */
export const startSources = (assembly: Assembly, resolve: Resolve, context: SourceContext): Sources => {
  const { endpoint, running, pool, journal, streamLog, findQueue, visibilityTimeoutSeconds } = context;
  const mapped = new Map<string, MappedSource>();
  const streams: StreamSource[] = [];
  for (const { kind, id, sourceArn, mapping } of eventMappings(assembly, resolve)) {
    if (kind === 'queue') {
      mapped.set(id, startQueueSource(findQueue(sourceArn), mapping, pool, visibilityTimeoutSeconds));
      continue;
    }
    const table = [...running.tables.values()].find(({ streamArn }) => streamArn === sourceArn);
    if (!table) throw new Error(`The template maps ${sourceArn}, which is no table's stream.`);
    const log = (text: string): void => context.log(mapping.functionName, text);
    const wiring = { endpoint, tableName: table.name, streamArn: sourceArn, mapping, pool, journal, streamLog, log };
    const stream = startStreamSource(wiring);
    streams.push(stream);
    mapped.set(id, stream);
  }
  return { all: [...mapped.values()], streams, mapped };
};

/** Waits until nothing is being done, but not for long. */
export const quiet = async (pool: FunctionPool, forMs: number): Promise<void> => {
  const endMs = Date.now() + forMs;
  while (pool.running() > 0 && Date.now() < endMs) await sleep(5);
};

/** Waits until nothing is left to carry: twice in a row, for what one look finds idle another source may just have handed something. */
export const settle = async (sources: readonly Source[], pool: FunctionPool, timeoutMs: number): Promise<void> => {
  const endMs = Date.now() + timeoutMs;
  for (let idleLooks = 0; idleLooks < 2; ) {
    const isIdle = pool.running() === 0 && (await Promise.all(sources.map((source) => source.isIdle()))).every(Boolean);
    idleLooks = isIdle ? idleLooks + 1 : 0;
    if (Date.now() > endMs) throw new Error(`The stack has not settled within ${timeoutMs} ms.`);
    await sleep(isIdle ? 2 : 10);
  }
};
