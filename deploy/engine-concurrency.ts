import { engineShares, MIN_ENGINE_CONCURRENCY } from '../lib/engine-shares.ts';
import type { DeployedStack } from './deployed-stack.ts';
import type { Plan } from './plan.ts';
import { type Finding, type LambdaLimits, QUOTA_ADVICE } from './preflight.ts';

/** The concurrency that Lambda always leaves to the functions without a reservation. */
const UNRESERVED = 100;
/** A production stack without a value reserves a fifth of the account's quota for the engine. */
const QUOTA_PARTS = 5;

/** The decision about `engineConcurrency` for one deployment. */
export interface EngineDecision {
  /** The value that `cdk deploy` must get in addition to the operator's settings; `null` for none. */
  readonly setting: number | null;
  readonly findings: readonly Finding[];
}

const nothing = (finding: Finding): EngineDecision => ({ setting: null, findings: [finding] });

/** Returns the reservation of a stack without a value, or `null` if the account or the settings leave no room for it. */
const firstReservation = ({ concurrency }: Plan, { total, unreserved }: LambdaLimits): number | null => {
  const part = Math.floor(total / QUOTA_PARTS);
  const lanes = (concurrency.deliveries?.start ?? 0) + (concurrency.slow?.start ?? 0);
  const fits = part >= MIN_ENGINE_CONCURRENCY && unreserved - part >= UNRESERVED && engineShares(part).deliver >= lanes;
  return fits ? part : null;
};

/** Checks that Lambda can make the reservation. The deployed stack has `deployed` executions reserved already. */
const checkRoom = (reserved: number, deployed: number, { total, unreserved }: LambdaLimits): Finding => {
  const room = unreserved + deployed - UNRESERVED;
  if (reserved === 0) return { verdict: 'fine', message: 'Lambda reserves no executions (engineConcurrency=0)' };
  if (reserved <= room) {
    const message = `Lambda reserves ${reserved} of ${total} concurrent executions for the functions that deliver`;
    return { verdict: 'fine', message };
  }
  const most = room < MIN_ENGINE_CONCURRENCY ? 0 : room;
  return {
    verdict: 'missing',
    message: `engineConcurrency=${reserved} leaves fewer than ${UNRESERVED} concurrent executions without a reservation, which Lambda refuses: choose at most -c engineConcurrency=${most}, or ${QUOTA_ADVICE}.`,
  };
};

/**
 * Decides how many concurrent executions Lambda reserves for the functions that deliver. The operator's setting decides
 * first, then the value of the deployed stack, so that a later deployment never changes it by itself. A production stack
 * without a value gets a fifth of the account's quota.
 */
export const decideEngineConcurrency = (
  plan: Plan,
  stack: DeployedStack | null | 'unknown',
  limits: LambdaLimits | 'unknown',
): EngineDecision => {
  const { engineConcurrency: set, isProtected } = plan;
  if (set === null && isProtected && stack === 'unknown') {
    return nothing({
      verdict: 'missing',
      message:
        'It is unknown how many concurrent executions are reserved for the deployed functions, and a deployment without engineConcurrency would reserve none: set -c engineConcurrency=, or allow cloudformation:DescribeStacks.',
    });
  }
  const deployed = stack === null || stack === 'unknown' ? null : stack.engineConcurrency;
  const known = set ?? deployed;
  if (known === null && !isProtected) return { setting: null, findings: [] };
  const setting = set === null ? known : null;
  if (limits === 'unknown') {
    if (known !== null) return { setting, findings: [] };
    return nothing({
      verdict: 'unknown',
      message:
        'It is unknown whether Lambda can reserve concurrent executions for the functions that deliver, so none are reserved: set -c engineConcurrency=.',
    });
  }
  if (known !== null) return { setting, findings: [checkRoom(known, deployed ?? 0, limits)] };
  const reserved = firstReservation(plan, limits);
  if (reserved !== null) return { setting: reserved, findings: [checkRoom(reserved, 0, limits)] };
  return nothing({
    verdict: 'scarce',
    message: `Lambda reserves no concurrent executions for the functions that deliver, because a fifth of the ${limits.total} allowed ones is too small or leaves fewer than ${UNRESERVED}: a flood of API calls can delay deliveries until you ${QUOTA_ADVICE} and deploy again.`,
  });
};
