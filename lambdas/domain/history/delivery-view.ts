import * as z from 'zod';
import {
  type Attempt,
  attemptErrorCodes,
  deliveryStatuses,
  isUnfinished,
  isWaiting,
  type StoredDelivery,
  triggers,
} from '../deliveries/delivery.ts';
import { timeOfId, webhookOfDelivery } from '../foundation/id.ts';
import { MASK, type StoredWebhook } from '../webhooks/webhook.ts';

const errorSchema = z.object({ code: z.enum(attemptErrorCodes), message: z.string() }).nullable();
const bodySchema = z
  .string()
  .nullable()
  .meta({ description: "The receiver's response body, cut to 2,000 characters." });

export const deliveryViewSchema = z
  .object({
    id: z.string(),
    webhook_id: z.string(),
    event_id: z.string(),
    event_type: z.string(),
    status: z.enum(deliveryStatuses).meta({
      description: 'A delivered delivery stays `delivered`, whatever a later manual retry, replay or recovery gets.',
    }),
    attempts_made: z.number(),
    attempts_planned: z.number().meta({ description: 'Attempts made plus attempts to come.' }),
    next_attempt_at: z.iso.datetime().nullable(),
    created_at: z.iso.datetime(),
    test: z.boolean().meta({
      description:
        'True for a sample that `POST /webhooks/{id}/test` sent. It counts neither in statistics nor in health.',
    }),
    settled_at: z.iso.datetime().nullable(),
    http_status: z.number().nullable().meta({
      description: 'The HTTP status of the last attempt. `response_body` and `error` are of that attempt too.',
    }),
    response_body: bodySchema,
    error: errorSchema,
  })
  .meta({ id: 'Delivery' });
export type DeliveryView = z.infer<typeof deliveryViewSchema>;

const attemptViewSchema = z
  .object({
    number: z.number(),
    trigger: z.enum(triggers),
    due_at: z.iso.datetime(),
    started_at: z.iso.datetime(),
    duration_ms: z.number(),
    http_status: z.number().nullable(),
    response_body: bodySchema,
    error: errorSchema,
    request_headers: z
      .record(z.string(), z.literal(MASK))
      .meta({ description: 'The names of the headers that were sent.' }),
  })
  .meta({ id: 'Attempt' });
export type AttemptView = z.infer<typeof attemptViewSchema>;

export const deliveryWithAttemptsSchema = deliveryViewSchema
  .extend({ attempts: z.array(attemptViewSchema) })
  .meta({ id: 'DeliveryWithAttempts' });

const toTime = (timeMs: number): string => new Date(timeMs).toISOString();

/**
 * Returns a delivery as the API shows it. An unfinished delivery of a deleted webhook shows as cancelled even before
 * its row says so; a delivered delivery that is redelivered shows as delivered.
 */
export const deliveryToView = (
  delivery: StoredDelivery,
  webhook: StoredWebhook | null,
  scheduleOf: (webhook: StoredWebhook) => readonly number[],
): DeliveryView => {
  const { id, step, attempts_made, due_at, settled_at, last } = delivery;
  const deletedAt = webhook ? webhook.deleted_at : toTime(due_at);
  const isOpen = isUnfinished(delivery) && deletedAt === null;
  const isCancelled = isUnfinished(delivery) && !isOpen && delivery.status !== 'delivered';
  // Counts no further waits of the schedule for the manual retry of a settled delivery, which makes only one attempt.
  const waitsLeft = webhook && delivery.trigger !== 'manual' ? Math.max(scheduleOf(webhook).length - step, 0) : 0;
  const attemptsToCome = isOpen ? waitsLeft + 1 : 0;
  const isScheduled = isOpen && isWaiting(delivery);
  return {
    id,
    webhook_id: webhookOfDelivery(id),
    event_id: delivery.event_id,
    event_type: delivery.event_type,
    status: isCancelled ? 'cancelled' : delivery.status,
    attempts_made,
    attempts_planned: attempts_made + attemptsToCome,
    next_attempt_at: isScheduled ? toTime(due_at) : null,
    created_at: toTime(timeOfId(id)),
    test: delivery.test === true,
    settled_at: isCancelled ? deletedAt : settled_at === null ? null : toTime(settled_at),
    http_status: last?.http_status ?? null,
    response_body: last?.response_body ?? null,
    error: last?.error ?? null,
  };
};

export const attemptToView = (attempt: Attempt): AttemptView => ({
  number: attempt.number,
  trigger: attempt.trigger,
  due_at: toTime(attempt.due_at),
  started_at: toTime(attempt.started_at),
  duration_ms: attempt.duration_ms,
  http_status: attempt.http_status,
  response_body: attempt.response_body,
  error: attempt.error,
  request_headers: Object.fromEntries(attempt.request_headers.map((name) => [name, MASK] as const)),
});
