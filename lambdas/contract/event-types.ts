import * as z from 'zod';
import { type EventTypeView, eventTypeViewSchema, newEventTypeSchema } from '../domain/events/event-type.ts';
import { pageQuery, pageSchema } from '../domain/foundation/page.ts';
import type { Operation } from '../runtime/operation.ts';

const path = '/api/public/v1/event-types';
const tag = 'events';

const own = {
  description: 'A room was booked.',
  schema: {
    type: 'object',
    required: ['booking'],
    properties: { booking: { type: 'object', required: ['id'], properties: { id: { type: 'string' } } } },
  },
};
const booked: EventTypeView = { name: 'booking.made', ...own, builtin: false };

export const listEventTypes = {
  id: 'listEventTypes',
  method: 'GET',
  path,
  tag,
  summary: 'List the event types, by name',
  description: "The built-in types and the account's own types.",
  scope: 'events:read',
  boundKeys: 'open',
  query: z.strictObject(pageQuery(null)),
  responses: { 200: pageSchema(eventTypeViewSchema) },
  exampleAnswer: {
    data: [{ name: 'task.accepted', description: 'A carrier accepted the task.', schema: null, builtin: true }],
    next_cursor: null,
  },
} as const satisfies Operation;

export const putEventType = {
  id: 'putEventType',
  method: 'PUT',
  path: `${path}/{name}`,
  tag,
  summary: 'Create or change an event type',
  description:
    'A name has 1 to 100 of the characters A–Z a–z 0–9 . _ : - and begins with a letter or digit. If the type has a schema, events whose `data` does not match are refused. A schema must be self-contained and at most 32 KiB long. Answers 201 for a new type, otherwise 200, and 409 for a built-in type.',
  scope: 'events:write',
  body: newEventTypeSchema,
  responses: { 201: eventTypeViewSchema, 200: eventTypeViewSchema },
  errors: [409],
  example: own,
  exampleAnswer: booked,
} as const satisfies Operation;

export const deleteEventType = {
  id: 'deleteEventType',
  method: 'DELETE',
  path: `${path}/{name}`,
  tag,
  summary: "Delete one of the account's own event types",
  description: 'Events and webhooks that name the type are not changed. Answers 409 for a built-in type.',
  scope: 'events:write',
  responses: { 204: null },
  errors: [409],
} as const satisfies Operation;
