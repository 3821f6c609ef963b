import type { AwsAnswer, AwsCall, Interceptor } from '../../local/wiring/interceptor.ts';

export interface FaultPlace {
  readonly functionName: string | RegExp;
  readonly operation?: string;
  readonly when?: (call: AwsCall) => boolean;
  /** Without it, every time. */
  readonly times?: number;
}

/** `kill before`: the call never reaches its engine. `kill after`: it is carried out, and nobody hears of it. */
export type FaultKind = 'kill before' | 'kill after' | AwsAnswer | Interceptor;

export interface Fault {
  readonly hits: number;
  end(): void;
}

export interface Faults {
  readonly interceptor: Interceptor;
  /** From now on, what is called there goes wrong. What was ordered first strikes first. */
  order(place: FaultPlace, kind: FaultKind): Fault;
  clear(): void;
}

/** Faults to order between functions and engines, for a stack that is given the interceptor. */
export const createFaults = (): Faults => {
  const ordered = new Set<FaultPlace & { readonly kind: FaultKind; hits: number }>();

  const isThere = ({ functionName, operation, when }: FaultPlace, call: AwsCall): boolean => {
    const isBy =
      typeof functionName === 'string' ? call.functionName === functionName : functionName.test(call.functionName);
    return isBy && (operation ?? call.operation) === call.operation && (when?.(call) ?? true);
  };

  const strike = async (kind: FaultKind, call: AwsCall, forward: () => Promise<AwsAnswer>): Promise<AwsAnswer> => {
    if (typeof kind === 'function') return kind(call, forward);
    if (typeof kind === 'object') return kind;
    if (kind === 'kill after') await forward();
    await call.kill();
    throw new Error('the caller is dead');
  };

  return {
    async interceptor(call, forward) {
      for (const fault of ordered) {
        if (fault.hits >= (fault.times ?? Number.POSITIVE_INFINITY) || !isThere(fault, call)) continue;
        fault.hits++;
        return strike(fault.kind, call, forward);
      }
      return forward();
    },
    order(place, kind) {
      const fault = { ...place, kind, hits: 0 };
      ordered.add(fault);
      return {
        get hits() {
          return fault.hits;
        },
        end: () => void ordered.delete(fault),
      };
    },
    clear: () => ordered.clear(),
  };
};
