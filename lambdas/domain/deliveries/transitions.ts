import type { Attempt, StoredDelivery, Trigger } from './delivery.ts';
import type { ResponseClass } from './profile.ts';

/** When the next attempt would be due, and whether the queue can carry the wait until then. */
export interface NextAttempt {
  readonly dueAtMs: number;
  readonly isParked: boolean;
}

/** A transition: the row as it was read, and the row to write. */
export interface DeliveryChange {
  readonly before: StoredDelivery;
  readonly after: StoredDelivery;
}

/** A delivery that is owed no more. */
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
 * The delivery after an attempt: delivered, waiting for its next, or dead because no wait is left or the receiver asked
 * for no more. An attempt that a person asked for neither uses the schedule nor restarts it, so it has no next.
 */
export const applyAttempt = (
  delivery: StoredDelivery,
  attempt: Attempt,
  responseClass: ResponseClass,
  next: NextAttempt | null,
): StoredDelivery => {
  const endedAtMs = attempt.started_at + attempt.duration_ms;
  const tried = {
    ...delivery,
    attempts_made: attempt.number,
    last: attempt,
    ...(responseClass !== 'delivered' && {
      attempts_refused: (delivery.attempts_refused ?? 0) + 1,
      refused_at: endedAtMs,
    }),
  };
  if (responseClass === 'delivered') return settled(tried, 'delivered', endedAtMs);
  if (responseClass === 'gone' || next === null) return settled(tried, 'dead', endedAtMs);
  return {
    ...tried,
    status: 'failed',
    ticket: delivery.ticket + 1,
    step: delivery.step + 1,
    trigger: 'schedule',
    due_at: next.dueAtMs,
    parked: next.isParked,
    has_slot: false,
  };
};

/** The delivery of a webhook that was deleted, or disabled for longer than deliveries are held. */
export const cancelDelivery = (delivery: StoredDelivery, nowMs: number): StoredDelivery =>
  settled(delivery, 'cancelled', nowMs);

/** The delivery of a disabled webhook: no attempt is used up, and nothing is due until it is enabled again. */
export const holdDelivery = (delivery: StoredDelivery): StoredDelivery => ({
  ...delivery,
  status: 'held',
  ticket: delivery.ticket + 1,
  parked: false,
  has_slot: false,
});

/** A held delivery whose webhook is enabled again: due now, with the attempts it had left. One by hand stays the only one. */
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
 * A delivery that somebody wants sent again, due now: with its schedule from the start, or for one attempt alone, which
 * leaves the schedule where it was.
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
