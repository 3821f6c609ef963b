import { describe, expect, test } from 'vitest';
import { attemptSchema } from '../../lambdas/domain/deliveries/delivery.ts';
import type { DeliveryOutcome } from '../../lambdas/domain/sending/deliver-batch.ts';
import { outcomeLine } from '../../lambdas/domain/sending/outcome-line.ts';
import { counted } from '../../lambdas/runtime/metric-names.ts';
import { metricFilters } from '../../local/metrics/metric-filters.ts';
import { assemblyOf, synthesise } from '../helpers/synthesised.ts';
import { anEvent, aWebhook } from '../helpers/virtual-engine.ts';

const START = Date.parse('2026-11-01T12:00:00.000Z');

/** What deliver logs of one message. */
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
  const told = { messageId: 'm', outcome, ticket, webhook, event, delivery: null, attempted, cause: null };
  return { name: 'delivery.attempted', service: 'passpost-test', ...outcomeLine(told, 'fast') };
};

describe('what is counted off a line', () => {
  const { read, unknown } = metricFilters(assemblyOf(synthesise()), (value) =>
    JSON.parse(JSON.stringify(value), (_, part) => part?.Ref ?? part),
  );
  const countedOf = (functionName: string, line: Readonly<Record<string, unknown>>) =>
    read(functionName, line).map(({ metric, value, unit }) => [
      metric.name,
      Object.values(metric.dimensions).join(' '),
      value,
      unit,
    ]);

  test('is an attempt, how it ended and when, for the whole and for its profile', () => {
    const first = countedOf('deliver', lineOf('delivered', { number: 1, latenessMs: 25 }));
    const later = countedOf('deliver', lineOf('refused', { number: 2, latenessMs: 10 }));

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

  test('is nothing where nothing was attempted, and nothing in another function’s log', () => {
    const delivered = lineOf('delivered', { number: 1, latenessMs: 25 });

    expect(countedOf('deliver', lineOf('held', null))).toEqual([]);
    expect(countedOf('due', delivered)).toEqual([]);
  });

  test('is how many events there were, and deliveries of them', () => {
    const line = { name: 'records.fanned-out', service: 'passpost-test', records: 3, events: 2, deliveries: 7 };

    expect(countedOf('fan-out', line)).toEqual([
      ['Events', 'passpost-test', 2, 'Count'],
      ['FannedOut', 'passpost-test', 7, 'Count'],
    ]);
  });

  test('is all that is not written', () => {
    const ends = (['delivered', 'refused', 'dead', 'gone'] as const).flatMap((outcome) =>
      [1, 2].flatMap((number) => countedOf('deliver', lineOf(outcome, { number, latenessMs: 0 }))),
    );
    const events = countedOf('fan-out', { name: 'records.fanned-out', events: 1, deliveries: 0 });

    expect(unknown).toEqual([]);
    expect(new Set([...ends, ...events].map(([name]) => name))).toEqual(
      new Set(Object.values(counted).map(([name]) => name)),
    );
  });
});
