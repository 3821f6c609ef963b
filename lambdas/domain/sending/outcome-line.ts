import { webhookOfDelivery } from '../foundation/id.ts';
import type { DeliveryOutcome } from './deliver-batch.ts';

/** All that a log line tells of what became of a message: ids, numbers and codes; no address, no body, no header. */
export const outcomeLine = (
  { outcome, ticket, webhook, event, delivery, attempted }: DeliveryOutcome,
  lane: 'fast' | 'slow',
): Record<string, unknown> => ({
  outcome,
  lane,
  delivery_id: ticket.deliveryId,
  webhook_id: webhookOfDelivery(ticket.deliveryId),
  event_id: ticket.eventId,
  request_id: event?.call?.request_id,
  trace_id: event?.call?.trace_id,
  requested_by: delivery?.requested_by,
  owner: ticket.owner,
  profile: webhook?.profile,
  ...(attempted && {
    attempt: attempted.attempt.number,
    http_status: attempted.attempt.http_status,
    error: attempted.attempt.error?.code,
    duration_ms: attempted.attempt.duration_ms,
    lateness_ms: attempted.attempt.started_at - attempted.attempt.due_at,
  }),
});
