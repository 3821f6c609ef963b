import * as z from 'zod';
import { pageQuery, pageSchema } from '../domain/foundation/page.ts';
import { rotatedSecretSchema, secretRotationSchema } from '../domain/webhooks/rotate-secret.ts';
import { newWebhookSchema, webhookChangesSchema } from '../domain/webhooks/webhook-input.ts';
import { createdWebhookSchema, type WebhookView, webhookViewSchema } from '../domain/webhooks/webhook-view.ts';
import type { Operation } from '../runtime/operation.ts';

const path = '/api/public/v1/webhooks';

const webhook: WebhookView = {
  id: 'whk_01KA8Z3M9Q4T7V2X5B8D1F6H0J',
  status: 'enabled',
  disabled_reason: null,
  url: 'https://example.com/hooks/passpost',
  events: ['task.accepted', 'task.delivered'],
  owner: null,
  resource: null,
  description: 'front desk',
  enabled: true,
  profile: 'passpost',
  profile_options: {},
  schedule: null,
  timeout_seconds: 10,
  basic_auth: null,
  headers: { 'x-api-key': '***' },
  public_key: null,
  api_version: '2026-11-01',
  allow_http: false,
  max_per_second: null,
  max_in_flight: null,
  auto_disable_after_hours: null,
  created_at: '2026-11-16T09:30:00.000Z',
  updated_at: '2026-11-16T09:30:00.000Z',
};
const ofWebhook = { path: `${path}/{id}`, idPrefix: 'whk', tag: 'webhooks' } as const;

export const createWebhook = {
  id: 'createWebhook',
  method: 'POST',
  path,
  tag: 'webhooks',
  summary: 'Register a webhook',
  description:
    'The signing secret is shown in this answer only. A repeat under the same `Idempotency-Key` gets the first answer without the secret.',
  scope: 'webhooks:write',
  boundKeys: 'own',
  body: newWebhookSchema,
  isIdempotent: true,
  responses: { 201: createdWebhookSchema },
  errors: [409],
  problems: ['too_many_webhooks'],
  example: {
    url: 'https://example.com/hooks/passpost',
    events: ['task.accepted', 'task.delivered'],
    description: 'front desk',
    headers: { 'x-api-key': 'k-1' },
  },
  exampleAnswer: { ...webhook, secret: 'whsec_bm90LWEtc2VjcmV0LWp1c3QtYW4tZXhhbXBsZSE=' },
} as const satisfies Operation;

export const listWebhooks = {
  id: 'listWebhooks',
  method: 'GET',
  path,
  tag: 'webhooks',
  summary: 'List webhooks, newest first',
  scope: 'webhooks:read',
  boundKeys: 'own',
  query: z.strictObject(pageQuery('whk')),
  responses: { 200: pageSchema(webhookViewSchema) },
  exampleAnswer: { data: [webhook], next_cursor: null },
} as const satisfies Operation;

export const getWebhook = {
  ...ofWebhook,
  id: 'getWebhook',
  method: 'GET',
  summary: 'Read a webhook',
  scope: 'webhooks:read',
  boundKeys: 'own',
  responses: { 200: webhookViewSchema },
  exampleAnswer: webhook,
} as const satisfies Operation;

export const changeWebhook = {
  ...ofWebhook,
  id: 'changeWebhook',
  method: 'PATCH',
  summary: 'Change a webhook',
  description:
    "Changes any field except `profile` and `secret`; `null` clears a field. Deliveries of a disabled webhook are held, and are released when the webhook is enabled. A held delivery is cancelled after 90 days, or after the retention if that is longer.\n\nA change of scheme, host or port of `url`, and a change of `allow_http` to true, must send the webhook's `basic_auth` and `headers` again, or null; otherwise the answer is 422 with the code `credentials_required` for each.",
  scope: 'webhooks:write',
  boundKeys: 'own',
  body: webhookChangesSchema,
  responses: { 200: webhookViewSchema },
  errors: [409],
  problems: ['too_many_webhooks'],
  example: { enabled: false },
  exampleAnswer: { ...webhook, status: 'disabled', disabled_reason: 'manual', enabled: false },
} as const satisfies Operation;

export const deleteWebhook = {
  ...ofWebhook,
  id: 'deleteWebhook',
  method: 'DELETE',
  summary: 'Delete a webhook',
  description:
    'Unfinished deliveries become `cancelled`. The history stays readable: each delivery by its id, and with its event.',
  scope: 'webhooks:write',
  boundKeys: 'own',
  responses: { 204: null },
  errors: [409],
} as const satisfies Operation;

export const rotateSecret = {
  ...ofWebhook,
  path: `${path}/{id}/rotate-secret`,
  id: 'rotateSecret',
  method: 'POST',
  summary: 'Give a webhook a new secret',
  description:
    'Until `previous_expires_at`, deliveries are signed with both secrets if the profile allows two signatures, otherwise with the previous secret only. After that, only the new secret signs. A repeat under the same `Idempotency-Key` gets the first answer without the secret.',
  scope: 'webhooks:write',
  boundKeys: 'own',
  body: secretRotationSchema,
  isBodyOptional: true,
  isIdempotent: true,
  responses: { 200: rotatedSecretSchema },
  errors: [409],
  example: { overlap_seconds: 86_400 },
  exampleAnswer: {
    secret: 'whsec_YW5vdGhlci1zZWNyZXQtdGhhdC1pcy1ub25lISEhISE=',
    previous_expires_at: '2026-11-17T09:30:00.000Z',
  },
} as const satisfies Operation;
