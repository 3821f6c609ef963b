import type { InvocationResult } from '../functions/execution-environment.ts';
import type { FunctionPool } from '../functions/function-pool.ts';
import type { Resolve } from '../template/intrinsics.ts';
import { type Assembly, resourcesOf } from '../template/template.ts';
import { functionNameOf } from './references.ts';

interface ConfigProperties {
  readonly FunctionName: string;
  readonly MaximumRetryAttempts?: number;
  readonly MaximumEventAgeInSeconds?: number;
}

export interface AsyncInvoke {
  /** Invokes the function and resolves with the result of the first try. Retries run later, in the background. */
  invoke(functionName: string, event: unknown): Promise<InvocationResult>;
  stop(): void;
}

/**
 * Lambda's defaults for an asynchronous invocation: the most retries, and the age in seconds after which an event is
 * not retried. https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
 */
const RETRIES = 2;
const MAX_AGE_SECONDS = 21_600;
/** The waits in milliseconds before the first and before the second retry of an asynchronous invocation. */
const WAIT_MS = [60_000, 120_000];

/**
 * Creates asynchronous invocations, which schedules use. A failed invocation is retried as the template configures it.
 * `speed` divides the waits before retries.
 */
export const createAsyncInvoke = (
  assembly: Assembly,
  resolve: Resolve,
  speed: number,
  pool: Pick<FunctionPool, 'invoke'>,
): AsyncInvoke => {
  const configs = new Map(
    resourcesOf(assembly, 'AWS::Lambda::EventInvokeConfig').map(({ properties }) => {
      const config = resolve(properties) as ConfigProperties;
      return [functionNameOf(config.FunctionName), config] as const;
    }),
  );
  const timers = new Set<NodeJS.Timeout>();

  const run = async (name: string, event: unknown, retry: number, createdMs: number): Promise<InvocationResult> => {
    const { MaximumRetryAttempts = RETRIES, MaximumEventAgeInSeconds = MAX_AGE_SECONDS } = configs.get(name) ?? {};
    const result = await pool.invoke(name, event);
    const waitMs = (WAIT_MS[retry] ?? 0) / speed;
    const ageMs = Date.now() + waitMs - createdMs;
    if (result.ok || retry >= MaximumRetryAttempts || ageMs > (MaximumEventAgeInSeconds * 1000) / speed) return result;
    const timer = setTimeout(() => {
      timers.delete(timer);
      void run(name, event, retry + 1, createdMs);
    }, waitMs);
    timers.add(timer);
    return result;
  };

  return {
    invoke: (name, event) => run(name, event, 0, Date.now()),
    stop() {
      for (const timer of timers) clearTimeout(timer);
    },
  };
};
