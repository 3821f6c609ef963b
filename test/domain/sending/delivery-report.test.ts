import { expect, test } from 'vitest';
import { type AttemptErrorCode, attemptSchema } from '../../../lambdas/domain/deliveries/delivery.ts';
import type { Attempted } from '../../../lambdas/domain/sending/attempt-delivery.ts';
import type { DeliveryOutcome } from '../../../lambdas/domain/sending/batch-run.ts';
import { outcomeFigures } from '../../../lambdas/domain/sending/delivery-report.ts';
import { anEvent, aWebhook } from '../../helpers/virtual-engine.ts';

const START = Date.parse('2026-11-01T12:00:00.000Z');

const attempted = (number: number, startedMs: number, dueMs: number, code?: AttemptErrorCode): Attempted => ({
  responseClass: code ? 'refused' : 'delivered',
  retryAfter: null,
  attempt: attemptSchema.parse({
    number,
    trigger: 'schedule',
    due_at: dueMs,
    started_at: startedMs,
    duration_ms: 40,
    error: code ? { code, message: '' } : null,
  }),
});

const outcome = (
  name: DeliveryOutcome['outcome'],
  profile: string | null,
  made: Attempted | null,
): DeliveryOutcome => ({
  messageId: 'm',
  outcome: name,
  ticket: { deliveryId: 'dlv', ticket: 1, owner: 'acc_1#live', eventId: 'evt', dueAtMs: START },
  webhook: profile === null ? null : aWebhook({ profile }),
  event: anEvent({}, START),
  delivery: null,
  attempted: made,
  cause: null,
});

test('outcomeFigures counts slow-lane attempts and forbidden addresses; two fast-lane attempts, delivered and refused, give no figures', () => {
  const outcomes = [
    outcome('delivered', 'passpost', attempted(1, START + 25, START)),
    outcome('refused', 'passpost', attempted(2, START + 60_010, START + 60_000, 'refused_status')),
    outcome('dead', 'inpost', attempted(6, START + 9007, START + 9000, 'forbidden_address')),
  ];

  expect(outcomeFigures(outcomes, 'slow')).toEqual({ slowLaneAttempts: 3, forbiddenAddresses: 1 });
  expect(outcomeFigures(outcomes.slice(0, 2), 'fast')).toEqual({});
});

test('outcomeFigures counts 2 held messages and 1 discarded message that made no attempt', () => {
  const outcomes = [
    outcome('held', 'passpost', null),
    outcome('held', 'passpost', null),
    outcome('discarded', null, null),
  ];

  expect(outcomeFigures(outcomes, 'fast')).toEqual({ held: 2, discarded: 1 });
});
