import { type LogBytes, logBytesOf } from './log-share.ts';
import { monthlyPrices, prices } from './prices.ts';

const WRITES = new Set([
  'BatchExecuteStatement',
  'BatchWriteItem',
  'DeleteItem',
  'PutItem',
  'TransactWriteItems',
  'UpdateItem',
]);

/**
 * AWS usage of a run. `calls` are the AWS calls of each function by operation; polling by event source mappings is not
 * part of them.
 */
export interface Usage {
  readonly calls: Record<string, Record<string, number>>;
  readonly writeUnits: number;
  readonly readUnits: number;
  readonly gbSeconds: Record<string, number>;
  readonly invocations: Record<string, number>;
  /** Bytes of the functions' own log lines, without Lambda's lines about each invocation. */
  readonly logBytes: LogBytes;
}

export interface Meter {
  line(functionName: string, text: string): void;
  invocation(functionName: string, durationMs: number, memoryMb: number): void;
  /** Returns the AWS usage of the functions since the previous call of `take`. */
  take(): Usage;
}

const empty = () => ({
  calls: {} as Record<string, Record<string, number>>,
  writeUnits: 0,
  readUnits: 0,
  gbSeconds: {} as Record<string, number>,
  invocations: {} as Record<string, number>,
  logBytes: { all: 0, metrics: 0, ids: 0 },
});

type Line = Readonly<Record<string, unknown>> & {
  readonly aws?: { readonly calls?: Record<string, number>; readonly units?: Record<string, number> };
};

const parseLine = (text: string): Line => {
  try {
    return JSON.parse(text) as Line;
  } catch {
    return {};
  }
};

/**
 * Creates a meter that adds up the AWS calls in the functions' log lines and the durations of the functions'
 * invocations.
 */
export const createMeter = (): Meter => {
  let usage = empty();
  return {
    line(functionName, text) {
      const fields = parseLine(text);
      const bytes = logBytesOf(fields);
      usage.logBytes = {
        all: usage.logBytes.all + bytes.all,
        metrics: usage.logBytes.metrics + bytes.metrics,
        ids: usage.logBytes.ids + bytes.ids,
      };
      const { calls = {}, units = {} } = fields.aws ?? {};
      const callsOfFunction = usage.calls[functionName] ?? {};
      usage.calls[functionName] = callsOfFunction;
      for (const [name, count] of Object.entries(calls)) callsOfFunction[name] = (callsOfFunction[name] ?? 0) + count;
      for (const [name, count] of Object.entries(units)) {
        if (WRITES.has(name.replace('dynamodb.', ''))) usage.writeUnits += count;
        else usage.readUnits += count;
      }
    },
    invocation(functionName, durationMs, memoryMb) {
      usage.invocations[functionName] = (usage.invocations[functionName] ?? 0) + 1;
      usage.gbSeconds[functionName] = (usage.gbSeconds[functionName] ?? 0) + (durationMs / 1000) * (memoryMb / 1024);
    },
    take() {
      const taken = usage;
      usage = empty();
      return taken;
    },
  };
};

const sum = (numbers: Iterable<number>): number => [...numbers].reduce((total, each) => total + each, 0);

/** Returns the number of AWS calls of all functions. */
export const callsOf = ({ calls }: Usage): number =>
  sum(Object.values(calls).flatMap((functionCalls) => Object.values(functionCalls)));

/**
 * Returns the cost of a run in dollars, by service. A queue's mapping receives each batch with one request and deletes
 * the batch with one request.
 */
export const dollarsOf = (usage: Usage): Record<string, number> => {
  const count = (service: string): number =>
    sum(
      Object.values(usage.calls).flatMap((functionCalls) =>
        Object.entries(functionCalls).flatMap(([name, calls]) => (name.startsWith(`${service}.`) ? [calls] : [])),
      ),
    );
  const requests = sum(
    Object.entries(usage.invocations).flatMap(([name, calls]) => (name.endsWith('-api') ? [calls] : [])),
  );
  const polling = 2 * (usage.invocations.deliver ?? 0);
  return {
    'HTTP API': requests * prices.httpApiRequest,
    'function requests': sum(Object.values(usage.invocations)) * prices.functionRequest,
    'function time': sum(Object.values(usage.gbSeconds)) * prices.functionGbSecond,
    writes: usage.writeUnits * prices.writeUnit,
    reads: usage.readUnits * prices.readUnit,
    queues: (count('sqs') + polling) * prices.queueRequest,
    secrets: count('secretsmanager') * prices.secretRequest,
  };
};

/** Returns the cost of ingesting log bytes, in dollars. */
export const logDollars = (bytes: number): number => (bytes / 1e9) * monthlyPrices.logGbIngested;

export const totalOf = (dollars: Readonly<Record<string, number>>): number => sum(Object.values(dollars));
