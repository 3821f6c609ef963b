import type { InvocationResult } from '../functions/execution-environment.ts';
import type { FunctionPool } from '../functions/function-pool.ts';
import type { Resolve } from '../template/intrinsics.ts';
import { type Assembly, resourcesOf } from '../template/template.ts';
import { functionNameOf } from './mappings.ts';

interface ConfigProperties {
  readonly FunctionName: string;
  readonly MaximumRetryAttempts?: number;
  readonly MaximumEventAgeInSeconds?: number;
}

export interface AsyncInvoke {
  /** Resolves after the first run. Those that follow a failed one have their own time. */
  invoke(functionName: string, event: unknown): Promise<InvocationResult>;
  stop(): void;
}

/** What Lambda does where nothing is configured. https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html */
const RETRIES = 2;
const OLDEST_SECONDS = 21_600;
const WAIT_MS = [60_000, 120_000];

/** Calls that nobody waits for, such as ticks: a run that fails is repeated as often as the template says. */
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

  const run = async (name: string, event: unknown, retry: number, bornMs: number): Promise<InvocationResult> => {
    const { MaximumRetryAttempts = RETRIES, MaximumEventAgeInSeconds = OLDEST_SECONDS } = configs.get(name) ?? {};
    const result = await pool.invoke(name, event);
    const waitMs = (WAIT_MS[retry] ?? 0) / speed;
    const ageMs = Date.now() + waitMs - bornMs;
    if (result.ok || retry >= MaximumRetryAttempts || ageMs > (MaximumEventAgeInSeconds * 1000) / speed) return result;
    const timer = setTimeout(() => {
      timers.delete(timer);
      void run(name, event, retry + 1, bornMs);
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
