import { z } from 'zod';
import { pageQuery, pageSchema } from '../domain/page.ts';
import type { Operation } from '../runtime/operation.ts';

const jsonSchema = z.record(z.string(), z.unknown()).meta({ description: 'A JSON Schema.' });

export const eventTypeViewSchema = z
  .object({
    name: z.string(),
    description: z.string(),
    schema: jsonSchema.nullable().meta({ description: "Of the events' `data`; null where none was registered." }),
    builtin: z.boolean(),
  })
  .meta({ id: 'EventType' });

export const profileViewSchema = z
  .object({
    name: z.string(),
    events: z.array(z.string()).meta({ description: 'What `*` means: these, or with `*` everything.' }),
    schedule: z.array(z.number()).meta({ description: 'Seconds before each retry.' }),
    api_versions: z.array(z.string()).meta({ description: 'Newest first.' }),
    profile_options: jsonSchema,
  })
  .meta({ id: 'Profile' });

export const listEventTypes = {
  id: 'listEventTypes',
  method: 'GET',
  path: '/api/public/v1/event-types',
  tag: 'events',
  summary: 'List the types of events, by name',
  scope: 'events:read',
  query: z.strictObject(pageQuery(null)),
  responses: { 200: pageSchema(eventTypeViewSchema) },
} as const satisfies Operation;

export const listProfiles = {
  id: 'listProfiles',
  method: 'GET',
  path: '/api/public/v1/profiles',
  tag: 'webhooks',
  summary: 'List the profiles, by name',
  scope: 'webhooks:read',
  query: z.strictObject(pageQuery(null)),
  responses: { 200: pageSchema(profileViewSchema) },
} as const satisfies Operation;
