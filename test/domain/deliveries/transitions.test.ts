import { describe, expect, it } from 'vitest';
import type { Attempt, StoredDelivery } from '../../../lambdas/domain/deliveries/delivery.ts';
import {
  applyAttempt,
  cancelDelivery,
  holdDelivery,
  releaseDelivery,
  rescheduleDelivery,
} from '../../../lambdas/domain/deliveries/transitions.ts';

const delivery: StoredDelivery = {
  id: 'dlv_1',
  owner: 'acc_1#live',
  event_id: 'evt_1',
  event_type: 'task.accepted',
  status: 'pending',
  ticket: 1,
  step: 0,
  attempts_made: 0,
  trigger: 'schedule',
  due_at: 1000,
  parked: false,
  has_slot: false,
  has_account_slot: false,
  settled_at: null,
  last: null,
};
const attempt: Attempt = {
  number: 1,
  trigger: 'schedule',
  due_at: 1000,
  started_at: 1010,
  duration_ms: 40,
  http_status: 500,
  response_body: '',
  has_body_row: false,
  error: null,
  request_headers: [],
};
const next = { dueAtMs: 61_050, isParked: false };

describe('a pending delivery after an attempt (applyAttempt)', () => {
  it('is delivered, settled at the end of the attempt, with attempts_made 1, if the attempt was delivered', () => {
    const after = applyAttempt(delivery, attempt, 'delivered', next);

    expect(after).toMatchObject({ status: 'delivered', settled_at: 1050, attempts_made: 1, ticket: 2 });
  });

  it('is failed at step 1, not settled and due at the given next time, if the attempt was refused', () => {
    const after = applyAttempt(delivery, attempt, 'refused', next);

    expect(after).toMatchObject({ status: 'failed', step: 1, ticket: 2, due_at: 61_050, settled_at: null });
  });

  it('is dead if the attempt was refused and no wait is left, or if the receiver is gone', () => {
    const exhausted = applyAttempt(delivery, attempt, 'refused', null);
    const gone = applyAttempt(delivery, attempt, 'gone', next);

    expect([exhausted.status, gone.status]).toEqual(['dead', 'dead']);
  });

  it('that was refused, and then held and released, has the status failed and step 1, is no longer parked, and is due at the time of the release', () => {
    const failed = applyAttempt(delivery, attempt, 'refused', { ...next, isParked: true });

    const released = releaseDelivery(holdDelivery(failed), 99_000);

    expect(released).toMatchObject({ status: 'failed', step: 1, attempts_made: 1, ticket: 4, due_at: 99_000 });
    expect(released.parked).toBe(false);
  });
});

describe('a delivered delivery (transitions)', () => {
  const delivered = applyAttempt(delivery, attempt, 'delivered', next);
  const again = rescheduleDelivery(delivered, 'replay', 90_000);
  const held = holdDelivery(again);

  it.each([
    ['it is redelivered', again, 'waiting'],
    ['its redelivery is refused and a wait is left', applyAttempt(again, attempt, 'refused', next), 'waiting'],
    ['its redelivery is refused and no wait is left', applyAttempt(again, attempt, 'refused', null), null],
    ['the receiver of its redelivery is gone', applyAttempt(again, attempt, 'gone', next), null],
    ['its redelivery is accepted', applyAttempt(again, attempt, 'delivered', next), null],
    ['its redelivery is held', held, 'held'],
    ['its held redelivery is released', releaseDelivery(held, 95_000), 'waiting'],
    ['its redelivery is cancelled', cancelDelivery(again, 95_000), null],
    ['its held redelivery is cancelled', cancelDelivery(held, 95_000), null],
  ])('keeps its status and settled_at when %s, and `redelivery` is %s', (_, after, redelivery) => {
    expect(after).toMatchObject({ status: 'delivered', settled_at: 1050, redelivery });
    expect(after.ticket).toBeGreaterThan(delivered.ticket);
  });

  it('that is redelivered becomes due at the time of the redelivery, at step 0', () => {
    expect(again).toMatchObject({ due_at: 90_000, step: 0, trigger: 'replay' });
  });
});

describe('a manual retry (rescheduleDelivery)', () => {
  const failed = applyAttempt(delivery, attempt, 'refused', { ...next, isParked: true });

  it('of a failed delivery leaves status, step and trigger, and makes the delivery due now, not parked', () => {
    expect(rescheduleDelivery(failed, 'manual', 5000)).toMatchObject({
      status: 'failed',
      step: 1,
      trigger: 'schedule',
      sent_now: true,
      due_at: 5000,
      parked: false,
      ticket: failed.ticket + 1,
    });
  });

  it('of a dead delivery has the trigger manual, at the same step', () => {
    const dead = applyAttempt(failed, attempt, 'refused', null);

    expect(rescheduleDelivery(dead, 'manual', 5000)).toMatchObject({
      status: 'pending',
      step: 1,
      trigger: 'manual',
      sent_now: false,
      settled_at: null,
    });
  });

  it('no longer counts for the attempt after it', () => {
    const retried = rescheduleDelivery(failed, 'manual', 5000);

    expect(applyAttempt(retried, attempt, 'refused', next)).toMatchObject({ sent_now: false, step: 2 });
  });
});
