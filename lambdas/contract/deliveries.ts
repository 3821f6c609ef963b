import * as z from 'zod';
import { deliveryStatuses } from '../domain/deliveries/delivery.ts';
import { isId } from '../domain/foundation/id.ts';
import { instantSchema, pageQuery, pageSchema } from '../domain/foundation/page.ts';
import { type DeliveryView, deliveryViewSchema, deliveryWithAttemptsSchema } from '../domain/history/delivery-view.ts';
import { jobSchema } from '../domain/jobs/job.ts';
import { recoverCountSchema, recoverSchema } from '../domain/redelivery/recover-deliveries.ts';
import { testedSchema, testSchema } from '../domain/redelivery/test-webhook.ts';
import type { Operation } from '../runtime/operation.ts';

const delivery: DeliveryView = {
  id: 'dlv_01KA8Z3M9Q4T7V2X5B8D1F6H0J01KA8Z3M9Q4T7V2X5B8D1F6H0K',
  webhook_id: 'whk_01KA8Z3M9Q4T7V2X5B8D1F6H0K',
  event_id: 'evt_01KA8Z3M9Q4T7V2X5B8D1F6H0M',
  event_type: 'task.accepted',
  status: 'failed',
  attempts_made: 1,
  attempts_planned: 6,
  next_attempt_at: '2026-11-16T09:31:00.102Z',
  created_at: '2026-11-16T09:30:00.000Z',
  test: false,
  settled_at: null,
  http_status: 503,
  response_body: 'busy',
  error: { code: 'refused_status', message: 'The receiver answered 503.' },
};

export const listDeliveries = {
  id: 'listDeliveries',
  method: 'GET',
  path: '/api/public/v1/webhooks/{id}/deliveries',
  idPrefix: 'whk',
  tag: 'deliveries',
  summary: "List a webhook's deliveries, newest first",
  description: 'The range refers to the time of the events: it starts at `since` and ends before `until`.',
  scope: 'webhooks:read',
  boundKeys: 'own',
  query: z.strictObject({
    status: z.enum(deliveryStatuses).optional(),
    event_type: z.string().min(1).max(128).optional(),
    event_id: z
      .string()
      .refine((text) => isId('evt', text), 'is not the id of an event')
      .optional(),
    since: instantSchema.optional(),
    until: instantSchema.optional(),
    ...pageQuery('dlv'),
  }),
  responses: { 200: pageSchema(deliveryViewSchema) },
  exampleAnswer: { data: [delivery], next_cursor: null },
} as const satisfies Operation;

export const getDelivery = {
  id: 'getDelivery',
  method: 'GET',
  path: '/api/public/v1/deliveries/{id}',
  idPrefix: 'dlv',
  tag: 'deliveries',
  summary: 'Read a delivery with its attempts',
  scope: 'webhooks:read',
  boundKeys: 'own',
  responses: { 200: deliveryWithAttemptsSchema },
  exampleAnswer: {
    ...delivery,
    attempts: [
      {
        number: 1,
        trigger: 'schedule',
        due_at: '2026-11-16T09:30:00.000Z',
        started_at: '2026-11-16T09:30:00.061Z',
        duration_ms: 41,
        http_status: 503,
        response_body: 'busy',
        error: { code: 'refused_status', message: 'The receiver answered 503.' },
        request_headers: { 'content-type': '***', 'x-passpost-signature': '***' },
      },
    ],
  },
} as const satisfies Operation;

export const retryDelivery = {
  id: 'retryDelivery',
  method: 'POST',
  path: '/api/public/v1/deliveries/{id}/retry',
  idPrefix: 'dlv',
  tag: 'deliveries',
  summary: 'Attempt a delivery now',
  description:
    'If the delivery waits for its next attempt, that attempt is made now, and the schedule continues after it. A settled delivery gets one more attempt, which neither uses nor restarts the schedule. A delivered delivery stays delivered: a refusal only adds to its attempts. Answers 409 while an attempt is under way: from one second before its due time until its result is recorded, at most for 32 seconds after its due time. Also answers 409 if the delivery is held, or if the webhook or the body of the event was deleted.',
  scope: 'webhooks:write',
  boundKeys: 'own',
  isIdempotent: true,
  responses: { 202: deliveryViewSchema },
  errors: [409],
  exampleAnswer: { ...delivery, next_attempt_at: '2026-11-16T09:30:20.000Z' },
} as const satisfies Operation;

export const testWebhook = {
  id: 'testWebhook',
  method: 'POST',
  path: '/api/public/v1/webhooks/{id}/test',
  idPrefix: 'whk',
  tag: 'webhooks',
  summary: 'Send a sample to a webhook',
  description:
    'The sample is signed, delivered and retried like any event, but goes to this webhook only. The webhook need not be subscribed to the type and may be disabled. The request has the header `x-passpost-test: true`, and the delivery has `test: true`; it counts neither in statistics nor in the health of the webhook. `data` is empty for an event type of your own, because its content is unknown.',
  scope: 'webhooks:write',
  boundKeys: 'own',
  body: testSchema,
  isBodyOptional: true,
  isIdempotent: true,
  responses: { 202: testedSchema },
  errors: [409],
  example: { type: 'task.accepted' },
  exampleAnswer: { event_id: delivery.event_id, delivery_id: delivery.id },
} as const satisfies Operation;

export const recoverDeliveries = {
  id: 'recoverDeliveries',
  method: 'POST',
  path: '/api/public/v1/webhooks/{id}/recover',
  idPrefix: 'whk',
  tag: 'webhooks',
  summary: "Redeliver a webhook's deliveries of a time range",
  description:
    'The range refers to the time of the events: it starts at `since` and ends before `until`. Each delivery starts its schedule from the beginning; a delivered delivery stays delivered. The answer is a job; read it with `GET /jobs/{id}`. With `dry_run` the answer is only the count. The status `pending` selects deliveries that are overdue by more than 15 seconds.',
  scope: 'webhooks:write',
  boundKeys: 'own',
  body: recoverSchema,
  isIdempotent: true,
  responses: { 200: recoverCountSchema, 202: jobSchema },
  errors: [409],
  example: { since: '2026-11-16T00:00:00Z', until: '2026-11-17T00:00:00Z', status: ['dead'], dry_run: true },
  exampleAnswer: { count: 1200 },
} as const satisfies Operation;
