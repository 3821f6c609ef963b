import { type DeliveryTicket, isWaiting, type StoredDelivery } from '../deliveries/delivery.ts';
import { SHORT_WAIT_MS } from '../deliveries/retry-schedule.ts';
import type { StoredEvent } from '../events/event.ts';
import type { StoredWebhook } from '../webhooks/webhook.ts';
import type { ReceiverSpeed } from './slow-lane.ts';
import type { Health } from './webhook-health.ts';

/** A queue message and the rows that it refers to, as they were read just before the batch was processed. */
export interface Assignment {
  readonly messageId: string;
  readonly ticket: DeliveryTicket;
  /** True if the queue has handed out this message before. The function that received it may have died half-way. */
  readonly isRedelivered: boolean;
  readonly delivery: StoredDelivery | null;
  readonly event: StoredEvent | null;
  readonly webhook: StoredWebhook | null;
  readonly receiverSpeed: ReceiverSpeed;
  readonly health: Health;
  /** The account's `deliveries_per_minute`. */
  readonly accountLimit: number;
}

type RowName = 'delivery' | 'event' | 'webhook';

/** An assignment in which certain rows exist: the rows that the type parameter `Name` lists. */
export type AssignmentWith<Name extends RowName> = Assignment & {
  readonly [Row in Name]: NonNullable<Assignment[Row]>;
};

/** An assignment that can be attempted: all its rows exist. */
export type AttemptAssignment = AssignmentWith<RowName>;

/**
 * The lane of a batch, by the queue that it comes from. `fast`: the deliveries queue. `slow`: the queue for receivers
 * that answer slowly.
 */
export type Lane = 'fast' | 'slow';

/** The next step for a message. `resend`: a new message is sent with the ticket that the delivery's row holds now. */
export type Verdict = 'discard' | 'emitDead' | 'resend' | 'cancel' | 'hold' | 'forward' | 'attempt';

/** The messages of a batch, sorted by verdict. */
export interface TriagedBatch {
  readonly discard: readonly Assignment[];
  readonly emitDead: readonly AssignmentWith<'delivery' | 'webhook'>[];
  readonly resend: readonly AssignmentWith<'delivery'>[];
  readonly cancel: readonly AssignmentWith<'delivery'>[];
  readonly hold: readonly AssignmentWith<'delivery'>[];
  /** Deliveries that are sent to the slow lane's queue. */
  readonly forward: readonly AssignmentWith<'delivery'>[];
  /** Groups of deliveries to attempt, by webhook id. */
  readonly attempt: ReadonlyMap<string, readonly AttemptAssignment[]>;
}

/**
 * Sorts the messages of a batch by their next step. Of several current messages for one delivery, only the first is
 * used, and the others are discarded.
 */
export const triageBatch = (assignments: readonly Assignment[], lane: Lane, nowMs: number): TriagedBatch => {
  const seen = new Set<string>();
  const triaged = assignments.map((assignment) => {
    const { deliveryId } = assignment.ticket;
    const verdict = seen.has(deliveryId) ? 'discard' : triage(assignment, lane, nowMs);
    // Remembers only deliveries whose message is used, because an outdated message may precede the valid one in the batch.
    if (verdict !== 'discard') seen.add(deliveryId);
    return { assignment, verdict };
  });
  const withVerdict = (wanted: Verdict): Assignment[] =>
    triaged.filter(({ verdict }) => verdict === wanted).map(({ assignment }) => assignment);
  return {
    discard: withVerdict('discard'),
    emitDead: withVerdict('emitDead').filter(hasRows('delivery', 'webhook')),
    resend: withVerdict('resend').filter(hasRows('delivery')),
    cancel: withVerdict('cancel').filter(hasRows('delivery')),
    hold: withVerdict('hold').filter(hasRows('delivery')),
    forward: withVerdict('forward').filter(hasRows('delivery')),
    attempt: Map.groupBy(
      withVerdict('attempt').filter(hasRows('delivery', 'event', 'webhook')),
      ({ webhook }) => webhook.id,
    ),
  };
};

/** Returns the next step for one message. */
const triage = (assignment: Assignment, lane: Lane, nowMs: number): Verdict => {
  const { ticket, delivery, event, webhook, isRedelivered, receiverSpeed } = assignment;
  if (!delivery || !isWaiting(delivery)) {
    // When SQS delivers a message again, `delivery.dead` is emitted for a dead delivery, because the function that
    // recorded the attempt may have died before it emitted the event.
    return isRedelivered && delivery?.status === 'dead' && webhook?.deleted_at === null ? 'emitDead' : 'discard';
  }
  if (delivery.ticket !== ticket.ticket) {
    // When SQS delivers a message again, the delivery's next message is sent, because the function that recorded the
    // attempt may have died before it sent the next message.
    const isPossiblyUnsent = isRedelivered && delivery.ticket === ticket.ticket + 1 && !delivery.parked;
    return isPossiblyUnsent ? 'resend' : 'discard';
  }
  if (!webhook || !event || webhook.deleted_at !== null || event.payload_deleted_at !== undefined) return 'cancel';
  if (!webhook.enabled && event.test_of === undefined) return 'hold';
  if (delivery.due_at - nowMs > SHORT_WAIT_MS) return 'resend';
  return lane === 'fast' && receiverSpeed.isSlow ? 'forward' : 'attempt';
};

const hasRows =
  <Name extends RowName>(...names: readonly Name[]) =>
  (assignment: Assignment): assignment is AssignmentWith<Name> =>
    names.every((name) => assignment[name] !== null);
