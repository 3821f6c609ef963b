import { webhookOfDelivery } from '../foundation/id.ts';
import type { DeliveryOutcome, Outcome } from './batch-run.ts';
import type { Lane } from './triage.ts';

/** Returns the fields of the log line for one message: ids, numbers and codes; no address, no body, no header. */
export const outcomeLine = (
  { outcome, ticket, webhook, event, delivery, attempted }: DeliveryOutcome,
  lane: Lane,
): Record<string, unknown> => ({
  outcome,
  lane,
  delivery_id: ticket.deliveryId,
  webhook_id: webhookOfDelivery(ticket.deliveryId),
  event_id: ticket.eventId,
  request_id: event?.call?.request_id,
  trace_id: event?.call?.trace_id,
  requested_by: delivery?.requested_by,
  test: delivery?.test,
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

/**
 * The outcomes of recorded attempts. Metric filters count these outcomes from the log lines, so `outcomeFigures` does
 * not.
 */
type AttemptOutcome = 'delivered' | 'refused' | 'dead' | 'gone';
type Figures = Partial<Record<Exclude<Outcome, AttemptOutcome> | 'slowLaneAttempts' | 'forbiddenAddresses', number>>;

const isAttemptOutcome = (outcome: Outcome): outcome is AttemptOutcome =>
  ['delivered', 'refused', 'dead', 'gone'].includes(outcome);

/** Returns the metrics of a batch (a number by name) that are not counted from its log lines. */
export const outcomeFigures = (outcomes: readonly DeliveryOutcome[], lane: Lane): Figures => {
  const figures: Figures = {};
  const increment = (name: keyof Figures): void => {
    figures[name] = (figures[name] ?? 0) + 1;
  };
  for (const { outcome, attempted } of outcomes) {
    if (!isAttemptOutcome(outcome)) increment(outcome);
    if (attempted && lane === 'slow') increment('slowLaneAttempts');
    if (attempted?.attempt.error?.code === 'forbidden_address') increment('forbiddenAddresses');
  }
  return figures;
};
