import * as z from 'zod';
import {
  type Attempt,
  attemptErrorCodes,
  deliveryStatuses,
  type StoredDelivery,
  triggers,
} from '../deliveries/delivery.ts';
import { timeOfId, webhookOfDelivery } from '../foundation/id.ts';
import { MASK, type StoredWebhook } from '../webhooks/webhook.ts';

const errorSchema = z.object({ code: z.enum(attemptErrorCodes), message: z.string() }).nullable();
const bodySchema = z.string().nullable().meta({ description: "The receiver's answer, cut to 2,000 characters." });

export const deliveryViewSchema = z
  .object({
    id: z.string(),
    webhook_id: z.string(),
    event_id: z.string(),
    event_type: z.string(),
    status: z.enum(deliveryStatuses),
    attempts_made: z.number(),
    attempts_planned: z.number().meta({ description: 'Those made and those still to come.' }),
    next_attempt_at: z.iso.datetime().nullable(),
    created_at: z.iso.datetime(),
    settled_at: z.iso.datetime().nullable(),
    http_status: z.number().nullable().meta({ description: "The last attempt's, like body and error." }),
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
    request_headers: z.record(z.string(), z.literal(MASK)).meta({ description: 'What was sent, by name.' }),
  })
  .meta({ id: 'Attempt' });
export type AttemptView = z.infer<typeof attemptViewSchema>;

export const deliveryWithAttemptsSchema = deliveryViewSchema
  .extend({ attempts: z.array(attemptViewSchema) })
  .meta({ id: 'DeliveryWithAttempts' });

const toTime = (timeMs: number): string => new Date(timeMs).toISOString();

const isOwed = ({ status }: StoredDelivery): boolean =>
  status === 'pending' || status === 'failed' || status === 'held';

/** A delivery as shown: what a deleted webhook is still owed is cancelled, whether or not anybody came to write that down. */
export const deliveryToView = (
  delivery: StoredDelivery,
  webhook: StoredWebhook | null,
  scheduleOf: (webhook: StoredWebhook) => readonly number[],
): DeliveryView => {
  const { id, step, attempts_made, due_at, settled_at, last } = delivery;
  const deletedAt = webhook ? webhook.deleted_at : toTime(due_at);
  const isCancelled = isOwed(delivery) && deletedAt !== null;
  const isComing = isOwed(delivery) && !isCancelled;
  // An attempt that a person asked for has none after it.
  const waitsLeft = webhook && delivery.trigger !== 'manual' ? Math.max(scheduleOf(webhook).length - step, 0) : 0;
  const toCome = isComing ? waitsLeft + 1 : 0;
  const isDue = isComing && delivery.status !== 'held';
  return {
    id,
    webhook_id: webhookOfDelivery(id),
    event_id: delivery.event_id,
    event_type: delivery.event_type,
    status: isCancelled ? 'cancelled' : delivery.status,
    attempts_made,
    attempts_planned: attempts_made + toCome,
    next_attempt_at: isDue ? toTime(due_at) : null,
    created_at: toTime(timeOfId(id)),
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
