import type { FunctionPool } from '../functions/function-pool.ts';
import { type ScheduledCall, scheduledCalls, startSchedule } from '../functions/schedule.ts';
import { resourcesOf } from '../template/template.ts';
import { createAsyncInvoke } from './async-invoke.ts';
import { functionNameOf } from './references.ts';
import type { StackContext } from './stack-context.ts';

/**
 * Starts the template's EventBridge rules and schedules. Returns their calls, so that a test can make the calls itself.
 */
export const startSchedules = (
  { assembly, resolve, onStop }: StackContext,
  speed: number,
  pool: FunctionPool,
): readonly ScheduledCall[] => {
  const calls = resourcesOf(assembly, 'AWS::Events::Rule', 'AWS::Scheduler::Schedule').flatMap((resource) =>
    scheduledCalls(resource, resolve(resource.properties) as Record<string, unknown>),
  );
  const asyncInvoke = createAsyncInvoke(assembly, resolve, speed, pool);
  onStop(() => asyncInvoke.stop());
  for (const call of calls) {
    let isRunning = false;
    const schedule = startSchedule(call.everyMs, speed, async (scheduledAt) => {
      // With a high speed a tick can last longer than its interval; the next tick is then skipped. At speed 1 the
      // function's timeout ends a tick before the next tick.
      if (isRunning) return;
      isRunning = true;
      await asyncInvoke.invoke(functionNameOf(call.functionArn), call.event(scheduledAt));
      isRunning = false;
    });
    onStop(() => schedule.stop());
  }
  return calls;
};
