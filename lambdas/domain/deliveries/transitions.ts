import type { Attempt, StoredDelivery, Trigger } from './delivery.ts';
import type { ResponseClass } from './profile.ts';

/** The next attempt of a delivery by the schedule. `isParked`: the wait is too long for the queue. */
export interface NextAttempt {
  readonly dueAtMs: number;
  readonly isParked: boolean;
}

/** A transition of a delivery: the row as it was read, and the row to write. */
export interface DeliveryChange {
  readonly before: StoredDelivery;
  readonly after: StoredDelivery;
}

/** Returns the delivery with a final status. No attempt follows, unless the delivery is redelivered. */
const settled = (
  delivery: StoredDelivery,
  status: 'delivered' | 'dead' | 'cancelled',
  nowMs: number,
): StoredDelivery => ({
  ...delivery,
  status,
  ticket: delivery.ticket + 1,
  parked: false,
  has_slot: false,
  settled_at: nowMs,
});

/**
 * Returns the delivery after an attempt: `delivered`, `failed` and due again, or `dead`. A delivery is dead if the
 * receiver is gone or if there is no `next` attempt. A manual retry has no next attempt, because it does not use the
 * schedule.
 */
export const applyAttempt = (
  delivery: StoredDelivery,
  attempt: Attempt,
  responseClass: ResponseClass,
  next: NextAttempt | null,
): StoredDelivery => {
  const endedAtMs = attempt.started_at + attempt.duration_ms;
  const attempted = {
    ...delivery,
    attempts_made: attempt.number,
    last: attempt,
    ...(responseClass !== 'delivered' && {
      attempts_refused: (delivery.attempts_refused ?? 0) + 1,
      refused_at: endedAtMs,
    }),
  };
  if (responseClass === 'delivered') return settled(attempted, 'delivered', endedAtMs);
  if (responseClass === 'gone' || next === null) return settled(attempted, 'dead', endedAtMs);
  return {
    ...attempted,
    status: 'failed',
    ticket: delivery.ticket + 1,
    step: delivery.step + 1,
    trigger: 'schedule',
    due_at: next.dueAtMs,
    parked: next.isParked,
    has_slot: false,
  };
};

/**
 * Returns the delivery as cancelled, for example because its webhook was deleted or because it was held for too long.
 */
export const cancelDelivery = (delivery: StoredDelivery, nowMs: number): StoredDelivery =>
  settled(delivery, 'cancelled', nowMs);

/**
 * Returns the delivery as held, because its webhook is disabled. A hold uses no attempt, and the delivery is not due
 * until the webhook is enabled.
 */
export const holdDelivery = (delivery: StoredDelivery): StoredDelivery => ({
  ...delivery,
  status: 'held',
  ticket: delivery.ticket + 1,
  parked: false,
  has_slot: false,
});

/**
 * Returns a held delivery as due now, at the same step of its schedule, because its webhook was enabled or deleted. A
 * manual retry keeps its single attempt.
 */
export const releaseDelivery = (delivery: StoredDelivery, nowMs: number): StoredDelivery => ({
  ...delivery,
  status: delivery.attempts_made > 0 ? 'failed' : 'pending',
  ticket: delivery.ticket + 1,
  trigger: delivery.trigger === 'manual' ? 'manual' : 'resume',
  due_at: nowMs,
  parked: false,
  has_slot: false,
});

/**
 * Returns the delivery as due now, because it is redelivered. `manual` makes one attempt and leaves the schedule at its
 * step; `replay` and `recover` restart the schedule.
 */
export const rescheduleDelivery = (
  delivery: StoredDelivery,
  trigger: Extract<Trigger, 'manual' | 'replay' | 'recover'>,
  nowMs: number,
): StoredDelivery => ({
  ...delivery,
  status: 'pending',
  ticket: delivery.ticket + 1,
  step: trigger === 'manual' ? delivery.step : 0,
  trigger,
  due_at: nowMs,
  parked: false,
  has_slot: false,
  settled_at: null,
});
