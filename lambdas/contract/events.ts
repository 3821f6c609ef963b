import { z } from 'zod';
import { resourceSchema } from '../domain/event.ts';
import { eventViewSchema, eventWithDeliveriesSchema, publishedEventSchema } from '../domain/event-view.ts';
import { newEventsSchema } from '../domain/new-event.ts';
import { instantSchema, pageQuery, pageSchema } from '../domain/page.ts';
import type { Operation } from '../runtime/operation.ts';

const path = '/api/public/v1/events';

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
  example: { type: 'task.accepted', data: { task: { item: 'Forgotten passport' } } },
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
} as const satisfies Operation;
