import { describe, expect, it, vi } from 'vitest';
import { heartbeatKey } from '../../lambdas/adapters/rows/table-keys.ts';
import type { Invocation } from '../../local/functions/function-pool.ts';
import { useWholeStack } from '../helpers/whole-stack.ts';

const SOON = { timeout: 10_000 };
const denied = { status: 400, body: { __type: 'AccessDeniedException', message: 'injected by the test' } };

interface Batch {
  readonly Records: readonly { readonly eventName: string; readonly dynamodb: Readonly<Record<string, unknown>> }[];
}

describe('the heartbeat', () => {
  const invocations: Invocation[] = [];
  const whole = useWholeStack({ onInvocation: (invocation) => invocations.push(invocation) });
  const batches = () => invocations.filter(({ functionName }) => functionName === 'fan-out');
  const rollUps = () => invocations.filter(({ functionName }) => functionName === 'roll-up');

  it('invokes the fan-out of an idle stack once per tick, with a REMOVE record that causes no failure and no log line', async () => {
    await whole.stack.tick();
    await vi.waitFor(() => expect(batches()).toHaveLength(1), SOON);
    await whole.stack.tick();
    await vi.waitFor(() => expect(batches()).toHaveLength(2), SOON);
    await whole.stack.settled();

    for (const { event, result } of batches()) {
      const { Records } = event as Batch;
      expect(Records.map(({ eventName }) => eventName)).toEqual(['REMOVE']);
      expect(Records[0]?.dynamodb).toMatchObject({ Keys: { pk: { S: heartbeatKey.pk } } });
      expect(Records[0]?.dynamodb).not.toHaveProperty('NewImage');
      expect(result).toMatchObject({ ok: true, payload: { batchItemFailures: [] } });
    }
    expect(whole.stack.depth('failures')).toMatchObject({ visible: 0, inFlight: 0 });
    // Metric filters count the fan-out’s log lines, and each metric with data costs money, so an idle fan-out must log nothing.
    expect(whole.logs.filter((line) => line.startsWith('fan-out '))).toEqual([]);
  });

  it.each(['PutItem', 'DeleteItem'])(
    'does not make the roll-up fail when the heartbeat’s %s is denied: the roll-up logs heartbeat.failed and hours.rolled-up',
    async (operation) => {
      whole.faults.inject({ functionName: 'roll-up', operation }, denied);
      const [ticks, lines] = [rollUps().length, whole.logs.length];

      await whole.stack.tick();

      const logged = whole.logs.slice(lines).join('\n');
      expect(rollUps().slice(ticks)).toMatchObject([{ result: { ok: true } }]);
      expect(logged).toContain('"name":"heartbeat.failed"');
      expect(logged).toContain('"name":"hours.rolled-up"');
    },
  );
});
