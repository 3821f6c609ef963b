import { readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { type EventLoopUtilization, performance } from 'node:perf_hooks';
import { Worker } from 'node:worker_threads';

export interface FunctionDefinition {
  readonly name: string;
  readonly arn: string;
  /** File URL of the module that exports the function's handler. */
  readonly module: string;
  readonly exportName: string;
  readonly timeoutSeconds: number;
  readonly memoryMb: number;
  readonly environment: Readonly<Record<string, string>>;
}

export interface FunctionError {
  readonly type: string;
  readonly message: string;
  readonly trace: string;
}

export type InvocationResult =
  | { readonly ok: true; readonly payload: unknown }
  | { readonly ok: false; readonly error: FunctionError };

export interface Environment {
  readonly id: string;
  readonly isBusy: boolean;
  /** When the running invocation began, in milliseconds since the epoch; null while no invocation runs. */
  readonly busySinceMs: number | null;
  readonly idleSinceMs: number;
  readonly ready: Promise<void>;
  invoke(requestId: string, event: string): Promise<InvocationResult>;
  /** Ends the environment's thread immediately. A running invocation fails with `reason`. */
  kill(reason: FunctionError): Promise<void>;
  /**
   * Returns the share of time, from 0 to 1, in which the environment's thread was busy since the previous call of this
   * method.
   */
  utilization(): number;
}

/** A message from an environment's worker thread: the thread is ready, has log lines, or finished an invocation. */
type WorkerMessage =
  | { kind: 'ready' }
  | { kind: 'log'; lines: string[] }
  | { kind: 'done'; result: string | undefined; lines: string[] }
  | { kind: 'failed'; error: FunctionError; lines: string[] };

// The worker's TypeScript types are stripped once for all threads, because stripping them in every thread doubles a
// thread's start-up time (measured: 85 ms instead of 40 ms).
let workerUrl: URL | undefined;
const workerSource = (): URL => {
  if (workerUrl) return workerUrl;
  const files = ['../tables/partiql-dialect.ts', './function-worker.ts'];
  const source = files.map((file) => readFileSync(new URL(file, import.meta.url), 'utf8')).join('\n');
  // Hides Node's warning that `stripTypeScriptTypes` is experimental, which would be the first output that people read.
  const { emitWarning } = process;
  process.emitWarning = () => undefined;
  workerUrl = new URL(`data:text/javascript,${encodeURIComponent(stripTypeScriptTypes(source))}`);
  process.emitWarning = emitWarning;
  return workerUrl;
};

export const killed: FunctionError = { type: 'Runtime.Killed', message: 'The environment was killed', trace: '' };

const timedOut = (seconds: number): FunctionError => ({
  type: 'Sandbox.Timedout',
  message: `Task timed out after ${seconds.toFixed(2)} seconds`,
  trace: '',
});

const startWorker = (definition: FunctionDefinition, variables: Readonly<Record<string, string>>): Worker =>
  new Worker(workerSource(), {
    name: definition.name,
    env: { ...definition.environment, ...variables },
    execArgv: ['--no-warnings'],
    resourceLimits: { maxOldGenerationSizeMb: definition.memoryMb, maxYoungGenerationSizeMb: 8 },
    workerData: {
      module: definition.module,
      exportName: definition.exportName,
      functionName: definition.name,
      functionArn: definition.arn,
      memoryMb: definition.memoryMb,
    },
  });

/** Starts a thread that runs the function's bundle. `variables` are added to the function's environment variables. */
export const startEnvironment = (
  definition: FunctionDefinition,
  id: string,
  variables: Readonly<Record<string, string>>,
  log: (lines: readonly string[]) => void,
  onEnd: () => void,
): Environment => {
  const worker = startWorker(definition, variables);
  let resolveInvocation: ((result: InvocationResult) => void) | undefined;
  let endReason: FunctionError | undefined;
  let end: InvocationResult | undefined;
  let idleSinceMs = Date.now();
  let busySinceMs: number | null = null;

  const finish = (result: InvocationResult): void => {
    const resolve = resolveInvocation;
    resolveInvocation = undefined;
    idleSinceMs = Date.now();
    busySinceMs = null;
    resolve?.(result);
  };

  const { promise: ready, resolve: becomeReady, reject: failToStart } = Promise.withResolvers<void>();
  ready.catch(() => undefined);
  worker.on('message', (message: WorkerMessage) => {
    if (message.kind === 'ready') return becomeReady();
    if (message.lines.length > 0) log(message.lines);
    if (message.kind === 'done') {
      finish({ ok: true, payload: message.result === undefined ? undefined : JSON.parse(message.result) });
    } else if (message.kind === 'failed') finish({ ok: false, error: message.error });
  });
  worker.on('error', (error) => {
    endReason ??= { type: error.name, message: error.message, trace: error.stack ?? '' };
  });
  worker.on('exit', () => {
    const error = endReason ?? { type: 'Runtime.ExitError', message: 'The function ended its process', trace: '' };
    failToStart(Object.assign(new Error(error.message), { name: error.type }));
    end = { ok: false, error };
    finish(end);
    onEnd();
  });

  const kill = async (reason: FunctionError): Promise<void> => {
    endReason ??= reason;
    await worker.terminate();
  };

  return {
    id,
    get isBusy() {
      return busySinceMs !== null;
    },
    get busySinceMs() {
      return busySinceMs;
    },
    get idleSinceMs() {
      return idleSinceMs;
    },
    ready,
    async invoke(requestId, event) {
      if (end) return end;
      const { promise, resolve } = Promise.withResolvers<InvocationResult>();
      resolveInvocation = resolve;
      busySinceMs = Date.now();
      const { timeoutSeconds } = definition;
      const timer = setTimeout(() => kill(timedOut(timeoutSeconds)), timeoutSeconds * 1000);
      worker.postMessage({ requestId, event, deadlineMs: Date.now() + timeoutSeconds * 1000 });
      const result = await promise;
      clearTimeout(timer);
      return result;
    },
    kill,
    utilization: utilizationOf(worker),
  };
};

const utilizationOf = (worker: Worker): Environment['utilization'] => {
  let last: EventLoopUtilization | undefined;
  return () => {
    const now: EventLoopUtilization = worker.performance.eventLoopUtilization();
    const { utilization } = last ? performance.eventLoopUtilization(now, last) : now;
    last = now;
    return utilization;
  };
};
