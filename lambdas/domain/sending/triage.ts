import type { DeliveryTicket, StoredDelivery } from '../deliveries/delivery.ts';
import type { StoredEvent } from '../events/event.ts';
import type { StoredWebhook } from '../webhooks/webhook.ts';
import type { ReceiverSpeed } from './slow-lane.ts';
import type { Health } from './webhook-health.ts';

/** A message with the rows it is about, as they stand now. */
export interface Assignment {
  readonly messageId: string;
  readonly ticket: DeliveryTicket;
  /** The queue has handed this message out before: whoever had it may have died half-way. */
  readonly isRedelivered: boolean;
  readonly delivery: StoredDelivery | null;
  readonly event: StoredEvent | null;
  readonly webhook: StoredWebhook | null;
  readonly answers: ReceiverSpeed;
  readonly health: Health;
}

export type Triage = 'discard' | 'emit-dead' | 'resend' | 'cancel' | 'hold' | 'attempt';

/** A wait of at most so long is waited out in the function; a longer one goes back to the queue. */
export const SHORT_WAIT_MS = 1000;

/** What is to be done about a message, before anything is sent. */
export const triage = (assignment: Assignment, nowMs: number): Triage => {
  const { ticket, delivery, event, webhook, isRedelivered } = assignment;
  if (!delivery || delivery.settled_at !== null || delivery.status === 'held') {
    // Its last holder may have died between recording the attempt and telling what it meant.
    return isRedelivered && delivery?.status === 'dead' && webhook?.deleted_at === null ? 'emit-dead' : 'discard';
  }
  if (delivery.ticket !== ticket.ticket) {
    // Its last holder may have died between recording the attempt and sending the next one's message.
    const mayBeUnsent = isRedelivered && delivery.ticket === ticket.ticket + 1 && !delivery.parked;
    return mayBeUnsent ? 'resend' : 'discard';
  }
  if (!webhook || !event || webhook.deleted_at !== null || event.payload_deleted_at !== undefined) return 'cancel';
  if (!webhook.enabled && event.test_of === undefined) return 'hold';
  return delivery.due_at - nowMs > SHORT_WAIT_MS ? 'resend' : 'attempt';
};
