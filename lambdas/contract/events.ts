import * as z from 'zod';
import { resourceSchema } from '../domain/events/event.ts';
import { newEventsSchema } from '../domain/events/new-event.ts';
import { instantSchema, pageQuery, pageSchema } from '../domain/foundation/page.ts';
import {
  type EventView,
  eventViewSchema,
  eventWithDeliveriesSchema,
  type PublishedEvent,
  publishedEventSchema,
} from '../domain/history/event-view.ts';
import { replayedSchema, replaySchema } from '../domain/redelivery/replay-event.ts';
import type { Operation } from '../runtime/operation.ts';
import { accountIdSchema } from './account-id.ts';

const path = '/api/public/v1/events';

const sent = { type: 'task.accepted', data: { task: { item: 'Forgotten passport' } }, id: 'order-4711-accepted' };
const published: PublishedEvent = {
  id: 'evt_01KA8Z3M9Q4T7V2X5B8D1F6H0M',
  type: sent.type,
  created_at: '2026-11-16T09:30:00.000Z',
  publisher_id: sent.id,
};
const event: EventView = {
  ...published,
  owner: null,
  resource: null,
  data: sent.data,
  meta: null,
  sequence: null,
  payload_deleted_at: null,
};

export const publishEvents = {
  id: 'publishEvents',
  method: 'POST',
  path,
  tag: 'events',
  summary: 'Publish an event, or up to a hundred',
  description:
    "A batch with one invalid event is refused as a whole. An event's own `id`, or the request's `Idempotency-Key`, makes a repeat safe. An event with `owner` reaches webhooks of the same owner and webhooks without one. An operator publishes for an account with `account`, in the mode live.",
  scope: 'events:write',
  boundKeys: 'own',
  isForOperators: true,
  query: z.strictObject({ account: accountIdSchema.optional() }),
  body: newEventsSchema,
  isIdempotent: true,
  responses: { 202: z.union([publishedEventSchema, z.object({ data: z.array(publishedEventSchema) })]) },
  example: sent,
  exampleAnswer: published,
} as const satisfies Operation;

export const listEvents = {
  id: 'listEvents',
  method: 'GET',
  path,
  tag: 'events',
  summary: 'List events, newest first',
  description: 'The range starts at `since` and ends before `until`.',
  scope: 'events:read',
  boundKeys: 'own',
  query: z.strictObject({
    type: z.string().min(1).max(128).optional(),
    resource: resourceSchema.optional(),
    since: instantSchema.optional(),
    until: instantSchema.optional(),
    ...pageQuery('evt'),
  }),
  responses: { 200: pageSchema(eventViewSchema) },
  exampleAnswer: { data: [event], next_cursor: null },
} as const satisfies Operation;

export const getEvent = {
  id: 'getEvent',
  method: 'GET',
  path: `${path}/{id}`,
  idPrefix: 'evt',
  tag: 'events',
  summary: 'Read an event with its deliveries',
  scope: 'events:read',
  boundKeys: 'own',
  responses: { 200: eventWithDeliveriesSchema },
  exampleAnswer: { ...event, deliveries: [] },
} as const satisfies Operation;

export const replayEvent = {
  id: 'replayEvent',
  method: 'POST',
  path: `${path}/{id}/replay`,
  idPrefix: 'evt',
  tag: 'events',
  summary: 'Redeliver an event',
  description:
    'Redelivers the event to each webhook that is subscribed now, or only to the webhook in the body. Each delivery starts its schedule from the beginning, even if attempts were still scheduled; a delivered delivery stays delivered. A webhook without a delivery of this event gets one; the delivery to a disabled webhook is held. Answers 409 if the body was deleted, and while the same replay is about to begin.',
  scope: 'events:write',
  boundKeys: 'own',
  body: replaySchema,
  isBodyOptional: true,
  isIdempotent: true,
  responses: { 202: replayedSchema },
  errors: [409],
  example: { webhook_id: 'whk_01KA8Z3M9Q4T7V2X5B8D1F6H0K' },
  exampleAnswer: {
    event_id: published.id,
    delivery_ids: ['dlv_01KA8Z3M9Q4T7V2X5B8D1F6H0J01KA8Z3M9Q4T7V2X5B8D1F6H0K'],
  },
} as const satisfies Operation;

export const deletePayload = {
  id: 'deletePayload',
  method: 'DELETE',
  path: `${path}/{id}/payload`,
  idPrefix: 'evt',
  tag: 'events',
  summary: 'Delete the body of an event',
  description:
    'The event without its body, and the results of its deliveries, stay readable. The event cannot be redelivered. A moment after this answer, its unfinished deliveries become `cancelled`, the stored response bodies of its attempts are erased, and so are `input`, `meta` and `data` of the job whose result became the event. A request that was being sent may still arrive. Repeating the call answers 204. The change stream of the table holds the body for one more day, and backups hold it until they expire.',
  scope: 'events:write',
  boundKeys: 'own',
  responses: { 204: null },
} as const satisfies Operation;
