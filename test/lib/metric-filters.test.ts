import { describe, expect, test, vi } from 'vitest';
import { attemptSchema } from '../../lambdas/domain/deliveries/delivery.ts';
import type { DeliveryOutcome } from '../../lambdas/domain/sending/batch-run.ts';
import { outcomeLine } from '../../lambdas/domain/sending/delivery-report.ts';
import { counted } from '../../lambdas/runtime/metric-names.ts';
import { metricFilters } from '../../local/metrics/metric-filters.ts';
import { callApi } from '../helpers/api-call.ts';
import { assemblyOf, synthesise } from '../helpers/synthesised.ts';
import { handlerWith, key, passed } from '../helpers/things-api.ts';
import { anEvent, aWebhook } from '../helpers/virtual-engine.ts';

// The functions read their service's name when they start.
vi.hoisted(() => {
  process.env.POWERTOOLS_SERVICE_NAME = 'passpost-test';
});

const START = Date.parse('2026-11-01T12:00:00.000Z');

/** The line that deliver logs for one message. */
const lineOf = (outcome: DeliveryOutcome['outcome'], attempt: { number: number; latenessMs: number } | null) => {
  const attempted = attempt && {
    responseClass: 'refused' as const,
    retryAfter: null,
    attempt: attemptSchema.parse({
      number: attempt.number,
      trigger: 'schedule',
      due_at: START,
      started_at: START + attempt.latenessMs,
      duration_ms: 40,
    }),
  };
  const ticket = { deliveryId: 'dlv', ticket: 1, owner: 'acc_1#live', eventId: 'evt', dueAtMs: START };
  const [webhook, event] = [aWebhook({ profile: 'inpost' }), anEvent({}, START)];
  const result = { messageId: 'm', outcome, ticket, webhook, event, delivery: null, attempted, cause: null };
  return { name: 'delivery.attempted', service: 'passpost-test', ...outcomeLine(result, 'fast') };
};

describe('the metric filters of the template', () => {
  const { read, unknown } = metricFilters(assemblyOf(synthesise()), (value) =>
    JSON.parse(JSON.stringify(value), (_, part) => part?.Ref ?? part),
  );
  const valuesOf = (functionName: string, line: Readonly<Record<string, unknown>>) =>
    read(functionName, line).map(({ metric, value, unit }) => [
      metric.name,
      Object.values(metric.dimensions).join(' '),
      value,
      unit,
    ]);

  test('read outcome, FirstAttemptLatency (first) or Lateness (later) and ReceiverDuration from attempt lines, in total and by profile', () => {
    const first = valuesOf('deliver', lineOf('delivered', { number: 1, latenessMs: 25 }));
    const later = valuesOf('deliver', lineOf('refused', { number: 2, latenessMs: 10 }));

    expect(first).toEqual([
      ['Delivered', 'passpost-test', 1, 'Count'],
      ['Delivered', 'passpost-test inpost', 1, 'Count'],
      ['FirstAttemptLatency', 'passpost-test', 25, 'Milliseconds'],
      ['FirstAttemptLatency', 'passpost-test inpost', 25, 'Milliseconds'],
      ['ReceiverDuration', 'passpost-test', 40, 'Milliseconds'],
      ['ReceiverDuration', 'passpost-test inpost', 40, 'Milliseconds'],
    ]);
    expect(later.map(([name]) => name)).toEqual([
      'Refused',
      'Refused',
      'Lateness',
      'Lateness',
      'ReceiverDuration',
      'ReceiverDuration',
    ]);
  });

  test('read no value from the line of a held delivery, and none from an attempt line in the log of the due function', () => {
    const delivered = lineOf('delivered', { number: 1, latenessMs: 25 });

    expect(valuesOf('deliver', lineOf('held', null))).toEqual([]);
    expect(valuesOf('due', delivered)).toEqual([]);
  });

  test('read the metrics Events and FannedOut from the line records.fanned-out of the fan-out function', () => {
    const line = { name: 'records.fanned-out', service: 'passpost-test', records: 3, events: 2, deliveries: 7 };

    expect(valuesOf('fan-out', line)).toEqual([
      ['Events', 'passpost-test', 2, 'Count'],
      ['FannedOut', 'passpost-test', 7, 'Count'],
    ]);
  });

  test.each(['tasks-api', 'keys-api', 'passmint-api', 'passcreator-api'])(
    'read the metric Unauthorized from the line that %s logs for an unknown key, and no value from the line for a valid key',
    async (name) => {
      const lines: string[] = [];
      const output = vi.spyOn(process.stdout, 'write').mockImplementation((text) => lines.push(String(text)) > 0);
      for (const check of [passed, { outcome: 'unknown' } as const]) {
        await callApi(handlerWith({ check }).handler, 'GET', '/things', { key });
      }
      output.mockRestore();
      const [valid, unknownKey] = lines.map((line) => valuesOf(name, JSON.parse(line)));

      expect(valid).toEqual([]);
      expect(unknownKey).toEqual([['Unauthorized', 'passpost-test', 1, 'Count']]);
    },
  );

  test('provide every metric of the table counted in metric-names.ts, and the local stack can apply every filter', () => {
    const attempts = (['delivered', 'refused', 'dead', 'gone'] as const).flatMap((outcome) =>
      [1, 2].flatMap((number) => valuesOf('deliver', lineOf(outcome, { number, latenessMs: 0 }))),
    );
    const events = valuesOf('fan-out', { name: 'records.fanned-out', events: 1, deliveries: 0 });

    const calls = valuesOf('tasks-api', { name: 'request.answered', status: 401 });

    expect(unknown).toEqual([]);
    expect(new Set([...attempts, ...events, ...calls].map(([name]) => name))).toEqual(
      new Set(Object.values(counted).map(([name]) => name)),
    );
  });
});
