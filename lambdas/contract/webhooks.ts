import { z } from 'zod';
import { newWebhookSchema, webhookChangesSchema } from '../domain/new-webhook.ts';
import { pageQuery, pageSchema } from '../domain/page.ts';
import { createdWebhookSchema, webhookViewSchema } from '../domain/webhook-view.ts';
import type { Operation } from '../runtime/operation.ts';

const path = '/api/public/v1/webhooks';
const one = { path: `${path}/{id}`, idPrefix: 'whk', tag: 'webhooks' } as const;

export const createWebhook = {
  id: 'createWebhook',
  method: 'POST',
  path,
  tag: 'webhooks',
  summary: 'Register a webhook',
  description:
    'The answer holds the signing secret, this once. A repeat under the same `Idempotency-Key` gets the first answer without it.',
  scope: 'webhooks:write',
  body: newWebhookSchema,
  isIdempotent: true,
  responses: { 201: createdWebhookSchema },
  errors: [409],
  example: { url: 'https://example.com/hooks/passpost', events: ['task.accepted', 'task.delivered'] },
} as const satisfies Operation;

export const listWebhooks = {
  id: 'listWebhooks',
  method: 'GET',
  path,
  tag: 'webhooks',
  summary: 'List webhooks, newest first',
  scope: 'webhooks:read',
  query: z.strictObject(pageQuery('whk')),
  responses: { 200: pageSchema(webhookViewSchema) },
} as const satisfies Operation;

export const getWebhook = {
  ...one,
  id: 'getWebhook',
  method: 'GET',
  summary: 'Read a webhook',
  scope: 'webhooks:read',
  responses: { 200: webhookViewSchema },
} as const satisfies Operation;

export const changeWebhook = {
  ...one,
  id: 'changeWebhook',
  method: 'PATCH',
  summary: 'Change a webhook',
  description:
    'Any field but `profile` and `secret`; null clears one. While it is disabled its deliveries are held, and once enabled they go on.',
  scope: 'webhooks:write',
  body: webhookChangesSchema,
  responses: { 200: webhookViewSchema },
  errors: [409],
  example: { enabled: false },
} as const satisfies Operation;

export const deleteWebhook = {
  ...one,
  id: 'deleteWebhook',
  method: 'DELETE',
  summary: 'Delete a webhook',
  description:
    'What is still owed becomes `cancelled`. Its history stays readable, each delivery by its id and with its event.',
  scope: 'webhooks:write',
  responses: { 204: null },
  errors: [409],
} as const satisfies Operation;
