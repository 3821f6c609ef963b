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
    "A batch with one wrong event is refused whole. An event's own `id`, or the request's `Idempotency-Key`, makes repeating it safe.",
  scope: 'events:write',
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
  description: 'From `since` on and before `until`.',
  scope: 'events:read',
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
  responses: { 200: eventWithDeliveriesSchema },
  exampleAnswer: { ...event, deliveries: [] },
} as const satisfies Operation;

export const replayEvent = {
  id: 'replayEvent',
  method: 'POST',
  path: `${path}/{id}/replay`,
  idPrefix: 'evt',
  tag: 'events',
  summary: 'Send an event again',
  description:
    'To each webhook that wants it now, or to the one named: the schedule from its start, whatever was still owed. A webhook that never had it gets a delivery now; what goes to a disabled one is held. 409 once the body was deleted, and while the same replay is about to begin.',
  scope: 'events:write',
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
    'That it happened, and what became of its deliveries, stays readable. What is still owed becomes `cancelled` when its next attempt is due, and it cannot be sent again. The table itself remembers for as long as its change stream (a day) and its backups do.',
  scope: 'events:write',
  responses: { 204: null },
} as const satisfies Operation;
