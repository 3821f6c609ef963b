import { type Attempt, isUnfinished, isWaiting, type StoredDelivery, type Trigger } from './delivery.ts';
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

/** Returns the delivery with the next ticket, so that every earlier message is stale, and without its reserved slot. */
const withNextTicket = (delivery: StoredDelivery): StoredDelivery => ({
  ...delivery,
  ticket: delivery.ticket + 1,
  parked: false,
  has_slot: false,
  has_account_slot: false,
  sent_now: false,
});

/** Returns the fields of a delivery that waits for an attempt. A delivered delivery stays delivered. */
const waiting = ({ status }: StoredDelivery, openStatus: 'pending' | 'failed'): Partial<StoredDelivery> =>
  status === 'delivered' ? { redelivery: 'waiting' } : { status: openStatus, settled_at: null };

/**
 * Returns the delivery with a final status. No attempt follows, unless the delivery is redelivered. A delivered delivery
 * stays delivered since its first success, and only its redelivery ends.
 */
const settled = (
  delivery: StoredDelivery,
  status: 'delivered' | 'dead' | 'cancelled',
  nowMs: number,
): StoredDelivery => ({
  ...withNextTicket(delivery),
  ...(delivery.status === 'delivered' ? { redelivery: null } : { status, settled_at: nowMs }),
});

/**
 * Returns the delivery after an attempt: `delivered`, `failed` and due again, or `dead`. A delivery is dead if the
 * receiver is gone or if there is no `next` attempt. The manual retry of a settled delivery has no next attempt, because
 * it does not use the schedule. A delivered delivery stays delivered after any attempt.
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
    ...withNextTicket(attempted),
    ...waiting(delivery, 'failed'),
    step: delivery.step + 1,
    trigger: 'schedule',
    due_at: next.dueAtMs,
    parked: next.isParked,
  };
};

/**
 * Returns the delivery as cancelled, for example because its webhook was deleted or because it was held for too long. Of
 * a delivered delivery, only the redelivery is cancelled.
 */
export const cancelDelivery = (delivery: StoredDelivery, nowMs: number): StoredDelivery =>
  settled(delivery, 'cancelled', nowMs);

/**
 * Returns the delivery after the payload of its event was erased: without the response body of its last attempt, and
 * cancelled if it was unfinished. The rows of its other attempts are not part of the delivery.
 */
export const erasePayloadOf = (delivery: StoredDelivery, nowMs: number): StoredDelivery => {
  const { last } = delivery;
  const ended = isUnfinished(delivery) ? cancelDelivery(delivery, nowMs) : delivery;
  return last === null || last.response_body === null ? ended : { ...ended, last: { ...last, response_body: null } };
};

/**
 * Returns the delivery as held, because its webhook is disabled. A hold uses no attempt, and the delivery is not due
 * until the webhook is enabled.
 */
export const holdDelivery = (delivery: StoredDelivery): StoredDelivery => ({
  ...withNextTicket(delivery),
  ...(delivery.status === 'delivered' ? { redelivery: 'held' } : { status: 'held' }),
});

/**
 * Returns a held delivery as due now, at the same step of its schedule, because its webhook was enabled or deleted. The
 * manual retry of a settled delivery keeps its single attempt.
 */
export const releaseDelivery = (delivery: StoredDelivery, nowMs: number): StoredDelivery => ({
  ...withNextTicket(delivery),
  ...waiting(delivery, delivery.attempts_made > 0 ? 'failed' : 'pending'),
  trigger: delivery.trigger === 'manual' ? 'manual' : 'resume',
  due_at: nowMs,
});

/**
 * Returns the delivery as due now, because it is redelivered. `manual` makes the attempt for which a delivery waits, and
 * the schedule continues after it; a settled delivery gets one attempt and stays at its step. `replay` and `recover`
 * restart the schedule.
 */
export const rescheduleDelivery = (
  delivery: StoredDelivery,
  trigger: Extract<Trigger, 'manual' | 'replay' | 'recover'>,
  nowMs: number,
): StoredDelivery => {
  const due = { ...withNextTicket(delivery), due_at: nowMs };
  if (trigger !== 'manual') return { ...due, ...waiting(delivery, 'pending'), step: 0, trigger };
  if (!isWaiting(delivery)) return { ...due, ...waiting(delivery, 'pending'), trigger };
  // A delivery that waits for its single manual attempt has the trigger `manual` already.
  return { ...due, sent_now: delivery.trigger !== 'manual' };
};
