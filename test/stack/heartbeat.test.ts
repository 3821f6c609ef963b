import { describe, expect, it, vi } from 'vitest';
import { heartbeatKey } from '../../lambdas/adapters/rows/table-keys.ts';
import type { Invocation } from '../../local/functions/function-pool.ts';
import { useWholeStack } from '../helpers/whole-stack.ts';

const SOON = { timeout: 10_000 };
const denied = { status: 400, body: { __type: 'AccessDeniedException', message: 'ordered by the test' } };

interface Batch {
  readonly Records: readonly { readonly eventName: string; readonly dynamodb: Readonly<Record<string, unknown>> }[];
}

describe('the heartbeat', () => {
  const invocations: Invocation[] = [];
  const whole = useWholeStack({ onInvocation: (invocation) => invocations.push(invocation) });
  const batches = () => invocations.filter(({ functionName }) => functionName === 'fan-out');
  const rollUps = () => invocations.filter(({ functionName }) => functionName === 'roll-up');

  it('starts the fan-out once a tick, where nothing else happens, with what means nothing to it', async () => {
    await whole.stack.tick();
    await vi.waitFor(() => expect(batches()).toHaveLength(1), SOON);
    await whole.stack.tick();
    await vi.waitFor(() => expect(batches()).toHaveLength(2), SOON);
    await whole.stack.settled();

    for (const { event, result } of batches()) {
      const { Records } = event as Batch;
      expect(Records.map(({ eventName }) => eventName)).toEqual(['REMOVE']);
      expect(Records[0]?.dynamodb).toMatchObject({ Keys: { pk: { S: heartbeatKey.pk } } });
      // The release 0.1.0, which may meet one while it is deployed over this, knows that such a record means nothing.
      expect(Records[0]?.dynamodb).not.toHaveProperty('NewImage');
      expect(result).toMatchObject({ ok: true, payload: { batchItemFailures: [] } });
    }
    expect(whole.stack.depth('failures')).toMatchObject({ visible: 0, inFlight: 0 });
    // What is counted, and costs by the series, is counted off such lines: an idle month has none.
    expect(whole.logs.filter((line) => line.startsWith('fan-out '))).toEqual([]);
  });

  it.each(['PutItem', 'DeleteItem'])('costs the roll-up nothing where its %s fails', async (operation) => {
    whole.faults.order({ functionName: 'roll-up', operation }, denied);
    const [ticks, lines] = [rollUps().length, whole.logs.length];

    await whole.stack.tick();

    const told = whole.logs.slice(lines).join('\n');
    expect(rollUps().slice(ticks)).toMatchObject([{ result: { ok: true } }]);
    expect(told).toContain('"name":"heartbeat.failed"');
    expect(told).toContain('"name":"hours.rolled-up"');
  });
});
