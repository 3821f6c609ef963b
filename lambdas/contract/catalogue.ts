import * as z from 'zod';
import { pageQuery, pageSchema } from '../domain/foundation/page.ts';
import type { Operation } from '../runtime/operation.ts';

const jsonSchema = z.record(z.string(), z.unknown()).meta({ description: 'A JSON Schema.' });

export const profileViewSchema = z
  .object({
    name: z.string(),
    events: z.array(z.string()).meta({
      description: 'The event types that `*` stands for. `*` in this list: every event type except operational ones.',
    }),
    schedule: z.array(z.number()).meta({ description: 'Seconds before each retry.' }),
    api_versions: z.array(z.string()).meta({ description: 'The payload versions, newest first.' }),
    profile_options: jsonSchema,
  })
  .meta({ id: 'Profile' });

export const listProfiles = {
  id: 'listProfiles',
  method: 'GET',
  path: '/api/public/v1/profiles',
  tag: 'webhooks',
  summary: 'List the profiles, by name',
  scope: 'webhooks:read',
  boundKeys: 'open',
  query: z.strictObject(pageQuery(null)),
  responses: { 200: pageSchema(profileViewSchema) },
  exampleAnswer: {
    data: [
      {
        name: 'passpost',
        events: ['task.accepted', 'task.picked_up', 'task.delivered', 'task.completed', 'task.cancelled'],
        schedule: [60, 300, 900, 3600, 21_600],
        api_versions: ['2026-11-01'],
        profile_options: { type: 'object', properties: {}, additionalProperties: false },
      },
    ],
    next_cursor: null,
  },
} as const satisfies Operation;
