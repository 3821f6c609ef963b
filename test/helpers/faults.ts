import type { AwsAnswer, AwsCall, Interceptor } from '../../local/wiring/interceptor.ts';

/** The calls that a fault affects. */
export interface FaultTarget {
  readonly functionName: string | RegExp;
  readonly operation?: string;
  readonly when?: (call: AwsCall) => boolean;
  /** Number of calls that are affected; by default all. */
  readonly times?: number;
}

/** `kill before`: the caller dies and the call is not made. `kill after`: the call is made and the caller dies before the response. */
export type FaultKind = 'kill before' | 'kill after' | AwsAnswer | Interceptor;

export interface Fault {
  /** Number of calls that were affected. */
  readonly hits: number;
  end(): void;
}

export interface Faults {
  readonly interceptor: Interceptor;
  /** Injects a fault into matching calls from now on. If several faults match a call, the first injected fault is used. */
  inject(target: FaultTarget, kind: FaultKind): Fault;
  clear(): void;
}

/** Creates faults between functions and engines. The stack must be started with the `interceptor`. */
export const createFaults = (): Faults => {
  const injected = new Set<FaultTarget & { readonly kind: FaultKind; hits: number }>();

  const isTarget = ({ functionName, operation, when }: FaultTarget, call: AwsCall): boolean => {
    const isCaller =
      typeof functionName === 'string' ? call.functionName === functionName : functionName.test(call.functionName);
    return isCaller && (operation ?? call.operation) === call.operation && (when?.(call) ?? true);
  };

  const apply = async (kind: FaultKind, call: AwsCall, forward: () => Promise<AwsAnswer>): Promise<AwsAnswer> => {
    if (typeof kind === 'function') return kind(call, forward);
    if (typeof kind === 'object') return kind;
    if (kind === 'kill after') await forward();
    await call.kill();
    throw new Error('the caller was killed');
  };

  return {
    async interceptor(call, forward) {
      for (const fault of injected) {
        if (fault.hits >= (fault.times ?? Number.POSITIVE_INFINITY) || !isTarget(fault, call)) continue;
        fault.hits++;
        return apply(fault.kind, call, forward);
      }
      return forward();
    },
    inject(target, kind) {
      const fault = { ...target, kind, hits: 0 };
      injected.add(fault);
      return {
        get hits() {
          return fault.hits;
        },
        end: () => void injected.delete(fault),
      };
    },
    clear: () => injected.clear(),
  };
};
