import * as z from 'zod';
import { type ApiKey, apiKeySchema, nameSchema, scopes } from '../domain/accounts/api-key.ts';
import { customerSchema } from '../domain/foundation/customer.ts';
import { modes } from '../domain/foundation/owner.ts';
import { pageQuery, pageSchema } from '../domain/foundation/page.ts';
import { DAY_SECONDS } from '../domain/foundation/time.ts';
import type { Operation } from '../runtime/operation.ts';

const path = '/api/public/v1/keys';
const tag = 'keys';

const shownOnce = apiKeySchema
  .extend({
    key: z
      .string()
      .optional()
      .meta({ description: 'The key itself. It is shown in this answer only; a repeated answer omits it.' }),
  })
  .meta({ id: 'NewApiKey' });

const key: ApiKey = {
  id: 'key_01KA8Z3M9Q4T7V2X5B8D1F6H0J',
  name: 'front desk',
  prefix: 'pp_live_4fQz',
  scopes: ['tasks:read', 'tasks:write'],
  mode: 'live',
  owner: null,
  created_at: '2026-11-16T09:30:00.000Z',
  last_used_at: null,
  expires_at: null,
};
const newKey = { ...key, key: 'pp_live_4fQzExampleExampleExampleExample4ZJrrx' };

export const createKey = {
  id: 'createKey',
  method: 'POST',
  path,
  tag,
  summary: 'Create an API key',
  description:
    'A key can only create keys with scopes that it has itself. A test key can only create test keys. Without `mode`, the new key has the mode of the calling key. A key that expires can only create keys that expire no later; without `expires_at`, a key does not expire. An account has at most 100 keys of both modes that are not expired.',
  scope: 'keys:write',
  body: z.strictObject({
    name: nameSchema,
    scopes: z.array(z.enum(scopes)).min(1).max(50),
    mode: z.enum(modes).optional(),
    owner: customerSchema.optional().meta({
      description:
        'Binds the key to one owner: it sees and makes only webhooks, tasks and events of this owner. Such a key has only scopes of tasks, webhooks and events.',
    }),
    expires_at: z.iso
      .datetime()
      .nullable()
      .optional()
      .meta({ description: 'When the key stops working; null = never.' }),
  }),
  isIdempotent: true,
  responses: { 201: shownOnce },
  errors: [409],
  problems: ['too_many_keys'],
  example: { name: 'front desk', scopes: ['tasks:read', 'tasks:write'], mode: 'live' },
  exampleAnswer: newKey,
} as const satisfies Operation;

export const listKeys = {
  id: 'listKeys',
  method: 'GET',
  path,
  tag,
  summary: "List the account's API keys, newest first",
  description:
    'Lists keys of both modes. The keys themselves are never shown again. An expired key is listed for seven days, if it is among the newest 100 that have expired.',
  scope: 'keys:read',
  query: z.strictObject(pageQuery('key')),
  responses: { 200: pageSchema(apiKeySchema) },
  exampleAnswer: { data: [key], next_cursor: null },
} as const satisfies Operation;

export const rotateKey = {
  id: 'rotateKey',
  method: 'POST',
  path: `${path}/{id}/rotate`,
  idPrefix: 'key',
  tag,
  summary: 'Replace an API key',
  description:
    'Creates a key with the same name, scopes, mode and the `expires_at` with which the old key was created. The old key stays valid for the overlap, and counts as one of the 100 keys until then.',
  scope: 'keys:write',
  body: z.strictObject({
    overlap_seconds: z
      .int()
      .min(0)
      .max(30 * DAY_SECONDS)
      .default(DAY_SECONDS),
  }),
  isBodyOptional: true,
  isIdempotent: true,
  responses: { 201: shownOnce },
  errors: [409],
  problems: ['too_many_keys'],
  example: { overlap_seconds: 3600 },
  exampleAnswer: newKey,
} as const satisfies Operation;

export const revokeKey = {
  id: 'revokeKey',
  method: 'DELETE',
  path: `${path}/{id}`,
  idPrefix: 'key',
  tag,
  summary: 'Revoke an API key',
  description: 'The next request with this key is refused. A key can only revoke keys whose scopes it has itself.',
  scope: 'keys:write',
  responses: { 204: null },
} as const satisfies Operation;
