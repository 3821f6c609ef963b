import * as z from 'zod';
import { customerSchema } from '../foundation/customer.ts';
import { resourceSchema } from './event.ts';

const isObject = (value: unknown): boolean => typeof value === 'object' && value !== null && !Array.isArray(value);

// Accepts any JSON object and does not copy it: a copying schema would lose members with special names, such as
// `__proto__`.
export const anyObjectSchema = z
  .custom<Readonly<Record<string, unknown>>>(isObject, 'must be a JSON object')
  .meta({ override: { type: 'object', additionalProperties: true } });

/**
 * The schema of an event's `meta`: the result of an operation (code, message, details, retryable), which webhooks in
 * Postmen's format contain.
 */
export const metaSchema = z.strictObject({
  code: z.int(),
  message: z.string(),
  details: z.array(z.unknown()).default([]),
  retryable: z.boolean().default(false),
});

/** The schema of one event of `POST /events`. */
export const newEventSchema = z
  .strictObject({
    type: z
      .string()
      .min(1)
      .max(128)
      .meta({ description: 'A name from the catalogue.', examples: ['task.accepted'] }),
    data: anyObjectSchema,
    id: z
      .string()
      .min(1)
      .max(255)
      .optional()
      .meta({ description: "The publisher's own id. The same id with the same content is the same event." }),
    resource: resourceSchema.nullable().default(null).meta({ description: 'The thing that the event is about.' }),
    meta: metaSchema.nullable().default(null),
    owner: customerSchema.default(null),
  })
  .meta({ id: 'NewEvent' });
export type NewEvent = z.output<typeof newEventSchema>;

/** The maximum number of events of one `POST /events`. */
export const MOST_EVENTS = 100;

/** The body of `POST /events`: one event, or an object whose `events` holds up to a hundred. */
export const newEventsSchema = z.union([
  newEventSchema,
  z.strictObject({ events: z.array(newEventSchema).min(1).max(MOST_EVENTS) }).meta({ id: 'NewEvents' }),
]);
export type NewEvents = z.output<typeof newEventsSchema>;
