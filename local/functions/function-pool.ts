import { randomUUID } from 'node:crypto';
import {
  type Environment,
  type FunctionDefinition,
  type InvocationResult,
  killed,
  startEnvironment,
} from './execution-environment.ts';
import { FunctionFleet } from './function-fleet.ts';

export interface Invocation {
  readonly functionName: string;
  readonly durationMs: number;
  readonly memoryMb: number;
  readonly event: unknown;
  readonly result: InvocationResult;
  /** Whether the invocation was refused because of the function's concurrency limit. */
  readonly isThrottled: boolean;
}

export interface FunctionPool {
  /** Runs the function once, in an idle or a new environment. An error of the function is part of the result. */
  invoke(name: string, event: unknown): Promise<InvocationResult>;
  /**
   * Runs the function once with the event that `choose` returns when an environment is free. A batch that is chosen late
   * is larger, as on Lambda, where records wait in the queue or the stream while all concurrency is busy. Returns null
   * without an invocation if `choose` returns null.
   */
  invokeWhenFree(name: string, choose: () => unknown): Promise<InvocationResult | null>;
  /** Kills the environments that are serving an invocation of the function; returns their number. */
  kill(name: string): Promise<number>;
  killEnvironment(id: string): Promise<void>;
  /** Starts an environment of the function in advance, before an invocation needs it. */
  warm(name: string): Promise<void>;
  /**
   * Returns whether the processors are saturated, so that more concurrent invocations of the function would not help.
   */
  isSaturated(name: string): boolean;
  /** Returns the number of invocations, of all functions, that run or wait for an environment. */
  running(): number;
  /** Limits the function's concurrent invocations. Further invocations are refused. */
  limit(name: string, concurrency: number): void;
  stop(): Promise<void>;
}

export interface FunctionPoolOptions {
  readonly definitions: ReadonlyMap<string, FunctionDefinition>;
  /**
   * Returns environment variables that identify one execution environment, so that an interceptor knows which
   * environment makes a call.
   */
  readonly identify: (functionName: string, environmentId: string) => Readonly<Record<string, string>>;
  readonly log: (functionName: string, text: string) => void;
  readonly onInvocation?: ((invocation: Invocation) => void) | undefined;
}

const IDLE_MS = 60_000;

const throttled: InvocationResult = {
  ok: false,
  error: { type: 'TooManyRequestsException', message: 'Rate Exceeded.', trace: '' },
};

const createFleets = ({ definitions, identify, log }: FunctionPoolOptions): Map<string, FunctionFleet> => {
  let serial = 0;
  const fleets = new Map<string, FunctionFleet>();
  for (const definition of definitions.values()) {
    const { name } = definition;
    const start = (onEnd: () => void): Environment => {
      const id = `${name}.${++serial}`;
      const logLines = (lines: readonly string[]): void => {
        for (const line of lines) log(name, line);
      };
      return startEnvironment(definition, id, identify(name, id), logLines, onEnd);
    };
    fleets.set(name, new FunctionFleet(start));
  }
  return fleets;
};

/**
 * Creates a pool that invokes the functions in execution environments. An environment is reused and serves one
 * invocation at a time.
 */
export const createFunctionPool = (options: FunctionPoolOptions): FunctionPool => {
  const { definitions, log, onInvocation } = options;
  let runningCount = 0;
  let isStopped = false;
  const limits = new Map<string, number>();
  const runningByName = new Map<string, number>();
  const fleets = createFleets(options);
  const fleetOf = (name: string): FunctionFleet => {
    const fleet = fleets.get(name);
    if (!fleet) throw new Error(`There is no function ${name}. The functions are ${[...fleets.keys()].join(', ')}.`);
    return fleet;
  };
  const everyEnvironment = (): Environment[] => [...fleets.values()].flatMap(({ environments }) => [...environments]);
  const reaper = setInterval(() => {
    for (const fleet of fleets.values()) fleet.reap(Date.now() - IDLE_MS);
  }, IDLE_MS / 2).unref();

  const run = async (name: string, choose: () => unknown): Promise<InvocationResult | null> => {
    const fleet = fleetOf(name);
    const environment = await fleet.acquire();
    try {
      const event = await choose();
      if (event === null) return null;
      const startMs = performance.now();
      const result = await environment.invoke(randomUUID(), JSON.stringify(event));
      if (!result.ok && !isStopped) log(name, `ERROR ${result.error.type}: ${result.error.message}`);
      report(name, event, result, performance.now() - startMs);
      return result;
    } finally {
      fleet.release(environment);
    }
  };

  const report = (functionName: string, event: unknown, result: InvocationResult, durationMs: number): void => {
    const { memoryMb } = definitions.get(functionName) as FunctionDefinition;
    onInvocation?.({ functionName, durationMs, memoryMb, event, result, isThrottled: result === throttled });
  };

  const invokeWhenFree: FunctionPool['invokeWhenFree'] = async (name, choose) => {
    const concurrency = runningByName.get(name) ?? 0;
    if (concurrency >= (limits.get(name) ?? Number.POSITIVE_INFINITY)) {
      const event = await choose();
      if (event === null) return null;
      report(name, event, throttled, 0);
      return throttled;
    }
    runningByName.set(name, concurrency + 1);
    runningCount++;
    try {
      return await run(name, choose);
    } finally {
      runningCount--;
      runningByName.set(name, (runningByName.get(name) ?? 1) - 1);
    }
  };

  return {
    invoke: async (name, event) => (await invokeWhenFree(name, () => event)) as InvocationResult,
    invokeWhenFree,
    async kill(name) {
      const busy = [...fleetOf(name).environments].filter(({ isBusy }) => isBusy);
      await Promise.all(busy.map((environment) => environment.kill(killed)));
      return busy.length;
    },
    async killEnvironment(id) {
      await everyEnvironment()
        .find((environment) => environment.id === id)
        ?.kill(killed);
    },
    warm: (name) => fleetOf(name).add(),
    isSaturated: (name) => fleetOf(name).isSaturated(),
    running: () => runningCount,
    limit: (name, concurrency) => void limits.set(name, concurrency),
    async stop() {
      isStopped = true;
      clearInterval(reaper);
      for (const fleet of fleets.values()) fleet.stop();
      await Promise.all(everyEnvironment().map((environment) => environment.kill(killed)));
    },
  };
};
