import { randomUUID } from 'node:crypto';
import { availableParallelism } from 'node:os';
import {
  type Environment,
  type FunctionDefinition,
  type FunctionError,
  type InvocationResult,
  startEnvironment,
} from './execution-environment.ts';

export interface Invocation {
  readonly functionName: string;
  readonly durationMs: number;
  readonly memoryMb: number;
  readonly error: FunctionError | null;
}

export interface FunctionPool {
  /** Runs the function once, in an environment that is free, or a new one. */
  invoke(name: string, event: unknown): Promise<InvocationResult>;
  /** Kills what serves an invocation of the function right now; says how many. */
  kill(name: string): Promise<number>;
  killEnvironment(id: string): Promise<void>;
  warm(name: string): Promise<void>;
  /** Whether more of this function at once would only share the same processor. */
  isSaturated(name: string): boolean;
  running(): number;
  stop(): Promise<void>;
}

export interface FunctionPoolOptions {
  readonly definitions: ReadonlyMap<string, FunctionDefinition>;
  /** Variables that tell one environment from another; what an interceptor knows a caller by. */
  readonly identify: (functionName: string, environmentId: string) => Readonly<Record<string, string>>;
  readonly log: (functionName: string, text: string) => void;
  readonly onInvocation?: ((invocation: Invocation) => void) | undefined;
}

/** On AWS every environment has a processor of its own; here all share these, and one more thread would only cost its start. */
const BUSY_SHARE = 0.6;
const LOOK_EVERY_MS = 50;
const STARTING_AT_ONCE = 2;
const IDLE_MS = 60_000;

const killed: FunctionError = { type: 'Runtime.Killed', message: 'The environment was killed', trace: '' };

class FunctionFleet {
  readonly environments = new Set<Environment>();
  readonly starting = new Set<Environment>();
  readonly #idle: Environment[] = [];
  readonly #waiting: ((environment: Environment) => void)[] = [];
  readonly #start: (onEnd: () => void) => Environment;
  #looked = { atMs: 0, isSaturated: false };
  #timer: NodeJS.Timeout | undefined;

  constructor(start: (onEnd: () => void) => Environment) {
    this.#start = start;
  }

  isSaturated(): boolean {
    const nowMs = performance.now();
    if (nowMs - this.#looked.atMs >= LOOK_EVERY_MS) {
      let share = 0;
      for (const environment of this.environments) {
        if (!this.starting.has(environment)) share += environment.utilization();
      }
      this.#looked = { atMs: nowMs, isSaturated: share >= availableParallelism() * BUSY_SHARE };
    }
    return this.#looked.isSaturated;
  }

  acquire(): Promise<Environment> {
    const environment = this.#idle.pop();
    if (environment) return Promise.resolve(environment);
    const { promise, resolve } = Promise.withResolvers<Environment>();
    this.#waiting.push(resolve);
    this.#grow();
    return promise;
  }

  release(environment: Environment): void {
    if (!this.environments.has(environment)) return;
    const next = this.#waiting.shift();
    if (next) next(environment);
    else this.#idle.push(environment);
  }

  /** A new environment, which joins the idle ones when it is ready. */
  async add(): Promise<void> {
    const environment = this.#start(() => {
      this.environments.delete(environment);
      this.starting.delete(environment);
      const at = this.#idle.indexOf(environment);
      if (at >= 0) this.#idle.splice(at, 1);
      this.#grow();
    });
    this.environments.add(environment);
    this.starting.add(environment);
    await environment.ready.finally(() => this.starting.delete(environment));
    this.release(environment);
  }

  reap(olderThanMs: number): void {
    const old = this.#idle.filter(({ idleSinceMs }) => idleSinceMs < olderThanMs);
    for (const environment of old.slice(0, this.environments.size - 1)) void environment.kill(killed);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#waiting.length = 0;
  }

  #grow(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#waiting.length === 0) return;
    const mayStart = this.environments.size === 0 || !this.isSaturated();
    const most = Math.min(STARTING_AT_ONCE, this.#waiting.length);
    while (mayStart && this.starting.size < most) {
      this.add().catch((error: Error) => this.#failFirst(error));
    }
    this.#timer = setTimeout(() => this.#grow(), LOOK_EVERY_MS);
  }

  /** The import failed: whoever waits gets that as the invocation's error. */
  #failFirst(error: Error): void {
    const result: InvocationResult = {
      ok: false,
      error: { type: error.name, message: error.message, trace: error.stack ?? '' },
    };
    const broken = { isBusy: false, invoke: () => Promise.resolve(result) } as unknown as Environment;
    this.#waiting.shift()?.(broken);
  }
}

/** The execution environments of all functions: warm ones are used again, and each serves one invocation at a time. */
export const createFunctionPool = ({ definitions, identify, log, onInvocation }: FunctionPoolOptions): FunctionPool => {
  let serial = 0;
  let runningCount = 0;
  let isStopped = false;
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
  const fleetOf = (name: string): FunctionFleet => {
    const fleet = fleets.get(name);
    if (!fleet) throw new Error(`There is no function ${name}; there are ${[...fleets.keys()].join(', ')}.`);
    return fleet;
  };
  const everyEnvironment = (): Environment[] => [...fleets.values()].flatMap(({ environments }) => [...environments]);
  const reaper = setInterval(() => {
    for (const fleet of fleets.values()) fleet.reap(Date.now() - IDLE_MS);
  }, IDLE_MS / 2).unref();

  return {
    async invoke(name, event) {
      const fleet = fleetOf(name);
      const { memoryMb } = definitions.get(name) as FunctionDefinition;
      runningCount++;
      try {
        const environment = await fleet.acquire();
        const startMs = performance.now();
        const result = await environment.invoke(randomUUID(), JSON.stringify(event));
        fleet.release(environment);
        const error = result.ok ? null : result.error;
        if (error && !isStopped) log(name, `ERROR ${error.type}: ${error.message}`);
        onInvocation?.({ functionName: name, durationMs: performance.now() - startMs, memoryMb, error });
        return result;
      } finally {
        runningCount--;
      }
    },
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
    async stop() {
      isStopped = true;
      clearInterval(reaper);
      for (const fleet of fleets.values()) fleet.stop();
      await Promise.all(everyEnvironment().map((environment) => environment.kill(killed)));
    },
  };
};
