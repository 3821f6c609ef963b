import { type Attempt, isHeld, isWaiting, type StoredDelivery } from '../../domain/deliveries/delivery.ts';
import type { DeliveryChange } from '../../domain/deliveries/transitions.ts';
import { retentionOf, SCHEDULE_DAYS } from '../../domain/foundation/retention.ts';
import { ttlSeconds } from '../../domain/foundation/time.ts';
import { type RowUpdate, rowOf } from './row.ts';
import { attemptKey, attentionPkOf, deliveryKey, duePkOf } from './table-keys.ts';

// All rows of deliveries and their updates are made in this file, for six stores: the fan-out inserts, deliver records
// attempts, redelivery reschedules, release and the end of a hold change held deliveries, the due sweep unparks.

/** Who requested a redelivery or a release: the command or job, and the API request that submitted it. */
export interface Requester {
  readonly commandId?: string | undefined;
  readonly requestedBy?: string | undefined;
}

/**
 * The longest response body, in bytes, that is stored in its delivery's row: an attempt with such a body fits into the
 * write unit of the delivery. A longer body gets a row of its own.
 */
const MAX_INLINE_BODY_BYTES = 300;

const hasLongBody = (attempt: Attempt): boolean =>
  Buffer.byteLength(attempt.response_body ?? '') > MAX_INLINE_BODY_BYTES;

/**
 * Returns the attempt as its delivery's row holds it, without a long body: JSON text, which costs fewer bytes than a
 * map.
 */
const inlineAttempt = (attempt: Attempt): string =>
  JSON.stringify(
    rowOf(
      hasLongBody(attempt)
        ? { ...attempt, response_body: null, has_body_row: true }
        : { ...attempt, has_body_row: attempt.has_body_row || null },
    ),
  );

/** Returns whether the delivery's row expires: the delivery is settled and is not redelivered. */
const isExpiring = (delivery: StoredDelivery): boolean =>
  delivery.settled_at !== null && !isWaiting(delivery) && !isHeld(delivery);

/**
 * Returns the expiry of a settled delivery, in epoch seconds: the retention after it was settled. The retention of a
 * delivered delivery that was redelivered begins again with its last attempt.
 */
const expiryOf = ({ status, settled_at, last, retention_days }: StoredDelivery, retentionDays: number): number => {
  const lastEndMs = status === 'delivered' && last ? last.started_at + last.duration_ms : 0;
  return ttlSeconds(Math.max(settled_at ?? 0, lastEndMs), retentionOf(retention_days, retentionDays));
};

/**
 * Returns the list of the attention index that has the delivery. A delivered delivery that is redelivered is among the
 * pending or held ones, where the release and the weekly retention round find it. Readers of these lists that select by
 * status read the row's `status`, so they leave it out.
 */
const attentionListOf = (delivery: StoredDelivery): string => {
  if (delivery.status !== 'delivered') return delivery.status;
  return isHeld(delivery) ? 'held' : isWaiting(delivery) ? 'pending' : 'delivered';
};

/** Returns the columns of a delivery's row that a transition may change, as the row stores them. */
const columnsOf = (delivery: StoredDelivery) => ({
  status: delivery.status,
  ticket: delivery.ticket,
  step: delivery.step,
  attempts_made: delivery.attempts_made,
  attempts_refused: delivery.attempts_refused,
  refused_at: delivery.refused_at,
  trigger: delivery.trigger,
  redelivery: delivery.redelivery ?? null,
  sent_now: delivery.sent_now ?? false,
  due_at: delivery.due_at,
  parked: delivery.parked,
  has_slot: delivery.has_slot,
  has_account_slot: delivery.has_account_slot,
  settled_at: delivery.settled_at,
});

const changedColumns = ({ before, after }: DeliveryChange): Record<string, unknown> => {
  const old: Record<string, unknown> = columnsOf(before);
  const changed = Object.entries(columnsOf(after)).filter(([name, value]) => value !== old[name]);
  return {
    ...Object.fromEntries(changed),
    // Always writes `due_at`: a slot under `max_per_second` changes the due time in memory before the attempt.
    due_at: after.due_at,
    // Always writes `parked` of a delivery that was parked: the due sweep clears `parked` without raising the ticket,
    // so the value that was read may be out of date.
    ...(before.parked && { parked: after.parked }),
  };
};

/**
 * Returns the row of a new delivery, without default values to save bytes. The delivery of a new event is in no index,
 * because its message is on the way. `isDue` puts a delivery into the due index, where the sweep finds it.
 */
export const newDeliveryRow = (
  delivery: StoredDelivery,
  { isDue = false, commandId, requestedBy }: Requester & { readonly isDue?: boolean } = {},
): Record<string, unknown> =>
  rowOf({
    ...deliveryKey(delivery.id),
    kind: 'delivery',
    ...delivery,
    step: delivery.step || null,
    attempts_made: delivery.attempts_made || null,
    parked: null,
    has_slot: null,
    has_account_slot: null,
    sent_now: null,
    trigger: delivery.trigger === 'schedule' ? null : delivery.trigger,
    due_pk: isDue ? duePkOf(delivery.id) : null,
    command_id: commandId,
    requested_by: requestedBy,
  });

/**
 * Returns the update of a delivery's row for a transition. The update succeeds only if the row holds the ticket that
 * was read. Index keys and expiry follow from the new status:
 *
 * ```text
 * pending, failed              in the due index         never expires
 * held                         in no due index          never expires
 * delivered, redelivery waits  in the due index         never expires
 * delivered, redelivery held   in no due index          never expires
 * delivered, dead, cancelled   in no due index          expires after the retention
 * ```
 *
 * The attention index lists rows by status. A row enters the index at its second ticket and never leaves it, because an
 * update removes at most one attribute (implementations of DynamoDB differ for more) and that is `due_pk` or `ttl`.
 */
export const deliveryUpdate = (
  change: DeliveryChange,
  retentionDays: number,
  { commandId, requestedBy }: Requester = {},
): RowUpdate => {
  const { before, after } = change;
  const isInAttention = after.status !== 'delivered' || before.ticket > 1;
  const leavesDueIndex = isWaiting(before) && !isWaiting(after);
  const isReopened = isExpiring(before) && !isExpiring(after);
  return {
    key: deliveryKey(after.id),
    set: {
      ...changedColumns(change),
      last: after.last && after.last !== before.last ? inlineAttempt(after.last) : null,
      att_pk: isInAttention ? attentionPkOf(after.id, attentionListOf(after)) : null,
      due_pk: isWaiting(after) ? duePkOf(after.id) : null,
      ttl: isExpiring(after) ? expiryOf(after, retentionDays) : null,
      command_id: commandId,
      requested_by: requestedBy,
    },
    expected: { ticket: before.ticket },
    ...(leavesDueIndex ? { remove: 'due_pk' } : isReopened ? { remove: 'ttl' } : {}),
    cleared: [
      ...(before.settled_at !== null && after.settled_at === null ? ['settled_at'] : []),
      ...(before.redelivery && !after.redelivery ? ['redelivery'] : []),
    ],
  };
};

/**
 * Returns the update that clears `parked` after the message has entered the queue. The update succeeds only if the row
 * holds the ticket.
 */
export const unparkUpdate = (deliveryId: string, ticket: number): RowUpdate => ({
  key: deliveryKey(deliveryId),
  set: { parked: false },
  expected: { ticket },
});

/**
 * Returns the rows of attempts that do not fit into their delivery's row: the previous last attempt, which the new
 * attempt replaces there, and a new attempt whose response body is long. These rows expire after the longest schedule
 * and the retention.
 */
export const attemptRows = ({ before, after }: DeliveryChange, retentionDays: number): Record<string, unknown>[] => {
  const replaced = before.last && before.last.number !== after.last?.number && !before.last.has_body_row;
  const isNewAndLong = after.last && after.last !== before.last && hasLongBody(after.last);
  const attempts = [...(replaced ? [before.last] : []), ...(isNewAndLong ? [after.last] : [])];
  const days = retentionOf(after.retention_days, retentionDays) + SCHEDULE_DAYS;
  const ttl = ttlSeconds(after.due_at, days);
  return attempts.flatMap((attempt) =>
    attempt ? [{ ...attemptKey(after.id, attempt.number), kind: 'attempt', ...rowOf(attempt), ttl }] : [],
  );
};

/**
 * Returns the rows that an attempt under way would write when it is recorded, without response bodies: the previous last
 * attempt, and a placeholder for the attempt itself. Once they exist, the function that makes the attempt cannot write
 * them, because an insert leaves an existing row as it is.
 */
export const erasedAttemptRows = (delivery: StoredDelivery, retentionDays: number): Record<string, unknown>[] => {
  const { id, last, attempts_made, due_at, retention_days } = delivery;
  const ttl = ttlSeconds(due_at, retentionOf(retention_days, retentionDays) + SCHEDULE_DAYS);
  const previous = last && !last.has_body_row ? [rowOf({ ...last, response_body: null })] : [];
  return [...previous, { number: attempts_made + 1, is_placeholder: true }].map((attempt) => ({
    ...attemptKey(id, Number(attempt.number)),
    kind: 'attempt',
    ...attempt,
    ttl,
  }));
};

/** Returns the update that erases the response body in the row of an attempt. It fails if the attempt has no such row. */
export const eraseBodyUpdate = (deliveryId: string, number: number): RowUpdate => ({
  key: attemptKey(deliveryId, number),
  set: {},
  expected: {},
  cleared: ['response_body'],
});
