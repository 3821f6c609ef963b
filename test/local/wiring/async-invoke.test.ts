import { describe, expect, it } from 'vitest';
import type { InvocationResult } from '../../../local/functions/execution-environment.ts';
import type { Assembly } from '../../../local/template/template.ts';
import { createAsyncInvoke } from '../../../local/wiring/async-invoke.ts';
import { until } from '../recorder.ts';

const failed: InvocationResult = { ok: false, error: { type: 'Error', message: 'no', trace: '' } };
/** One minute lasts one millisecond. */
const SPEED = 60_000;

const start = (config?: Readonly<Record<string, unknown>>, results: readonly InvocationResult[] = []) => {
  const properties = { FunctionName: 'tick', Qualifier: '$LATEST', ...config };
  const resource = { logicalId: 'Config', name: 'Config', type: 'AWS::Lambda::EventInvokeConfig', properties };
  const assembly: Assembly = {
    stackName: 'test',
    resources: new Map(config ? [['Config', resource]] : []),
    outputs: {},
    bundle: () => '',
  };
  const runs: unknown[] = [];
  const calls = createAsyncInvoke(assembly, (value) => value, SPEED, {
    invoke: async (_, event) => results[runs.push(event) - 1] ?? failed,
  });
  return { calls, runs };
};

/** Waits until another call has made all of its retries, so that a retry in the test would have been made too. */
const afterMinutes = async (): Promise<void> => {
  const { calls, runs } = start();
  await calls.invoke('other', 0);
  await until(() => runs.length === 3, 2000);
};

describe('an asynchronous invocation on the local stack', () => {
  it('that always fails is made three times by default', async () => {
    const { calls, runs } = start();

    await calls.invoke('tick', 'event');
    await until(() => runs.length === 3, 2000);
    await afterMinutes();

    expect(runs).toEqual(['event', 'event', 'event']);
  });

  it('that fails first and then succeeds is made twice', async () => {
    const { calls, runs } = start(undefined, [failed, { ok: true, payload: null }]);

    await calls.invoke('tick', 'event');
    await until(() => runs.length === 2, 2000);
    await afterMinutes();

    expect(runs).toHaveLength(2);
  });

  it.each([
    ['MaximumRetryAttempts to 0', { MaximumRetryAttempts: 0 }],
    ['MaximumEventAgeInSeconds to 59, less than the wait before the first retry', { MaximumEventAgeInSeconds: 59 }],
  ])('that fails is made once when the template sets %s', async (_, config) => {
    const { calls, runs } = start(config);

    await calls.invoke('tick', 'event');
    await afterMinutes();

    expect(runs).toHaveLength(1);
  });
});
