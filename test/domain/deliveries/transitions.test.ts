import { describe, expect, it } from 'vitest';
import type { Attempt, StoredDelivery } from '../../../lambdas/domain/deliveries/delivery.ts';
import { applyAttempt, holdDelivery, releaseDelivery } from '../../../lambdas/domain/deliveries/transitions.ts';

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

  it('is failed, still at step 1, not parked and due at the release, if it was refused, held and then released', () => {
    const failed = applyAttempt(delivery, attempt, 'refused', { ...next, isParked: true });

    const released = releaseDelivery(holdDelivery(failed), 99_000);

    expect(released).toMatchObject({ status: 'failed', step: 1, attempts_made: 1, ticket: 4, due_at: 99_000 });
    expect(released.parked).toBe(false);
  });
});
