import { describe, expect, it } from 'vitest';
import type { InvocationResult } from '../../../local/functions/execution-environment.ts';
import type { Assembly } from '../../../local/template/template.ts';
import { createAsyncInvoke } from '../../../local/wiring/async-invoke.ts';
import { until } from '../recorder.ts';

const failed: InvocationResult = { ok: false, error: { type: 'Error', message: 'no', trace: '' } };
/** A minute is a millisecond. */
const SPEED = 60_000;

const start = (config?: Readonly<Record<string, unknown>>, results: readonly InvocationResult[] = []) => {
  const properties = { FunctionName: 'tick', Qualifier: '$LATEST', ...config };
  const one = { logicalId: 'Config', name: 'Config', type: 'AWS::Lambda::EventInvokeConfig', properties };
  const assembly: Assembly = {
    stackName: 'test',
    resources: new Map(config ? [['Config', one]] : []),
    outputs: {},
    bundle: () => '',
  };
  const runs: unknown[] = [];
  const calls = createAsyncInvoke(assembly, (value) => value, SPEED, {
    invoke: async (_, event) => results[runs.push(event) - 1] ?? failed,
  });
  return { calls, runs };
};

/** Long enough for what is due in three minutes, had it been ordered. */
const afterMinutes = async (): Promise<void> => {
  const { calls, runs } = start();
  await calls.invoke('other', 0);
  await until(() => runs.length === 3, 2000);
};

describe('a call that nobody waits for', () => {
  it('is tried twice more, as Lambda does where nothing is configured', async () => {
    const { calls, runs } = start();

    await calls.invoke('tick', 'event');
    await until(() => runs.length === 3, 2000);
    await afterMinutes();

    expect(runs).toEqual(['event', 'event', 'event']);
  });

  it('is not tried again after it went well', async () => {
    const { calls, runs } = start(undefined, [failed, { ok: true, payload: null }]);

    await calls.invoke('tick', 'event');
    await until(() => runs.length === 2, 2000);
    await afterMinutes();

    expect(runs).toHaveLength(2);
  });

  it.each([
    ['as often as', { MaximumRetryAttempts: 0 }],
    ['only as long as', { MaximumEventAgeInSeconds: 59 }],
  ])('is tried again %s the template says', async (_, config) => {
    const { calls, runs } = start(config);

    await calls.invoke('tick', 'event');
    await afterMinutes();

    expect(runs).toHaveLength(1);
  });
});
