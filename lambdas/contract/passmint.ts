import * as z from 'zod';
import { deliveryStatuses } from '../domain/deliveries/delivery.ts';
import { pageQuery, pageSchema } from '../domain/foundation/page.ts';
import { rotatedSecretSchema, secretRotationSchema } from '../domain/webhooks/rotate-secret.ts';
import { newWebhookSchema, webhookChangesSchema } from '../domain/webhooks/webhook-input.ts';
import type { Operation } from '../runtime/operation.ts';

// PassMint's own calls about webhooks, with PassMint's names. https://passmint.io/docs/webhooks

const path = '/v1/webhooks';
const ofWebhook = { path: `${path}/{id}`, idPrefix: 'whk', tag: 'passmint' } as const;

const shown = { url: true, events: true, description: true, enabled: true } as const;

const webhookSchema = z.object({
  id: z.string(),
  url: z.string(),
  events: z.array(z.string()),
  description: z.string().nullable(),
  enabled: z.boolean(),
  created_at: z.iso.datetime(),
  updated_at: z.iso.datetime(),
});
export type PassmintWebhook = z.infer<typeof webhookSchema>;

const deliverySchema = z.object({
  id: z.string(),
  type: z.string(),
  status: z.enum(deliveryStatuses).exclude(['held', 'cancelled']),
  http_status: z.number().nullable(),
  response_body: z.string().nullable(),
  created_at: z.iso.datetime(),
  attempted_at: z.iso.datetime().nullable(),
  next_attempt_at: z.iso.datetime().nullable(),
  attempts: z.number(),
});
export type PassmintDelivery = z.infer<typeof deliverySchema>;

export const createPassmintWebhook = {
  id: 'createPassmintWebhook',
  method: 'POST',
  path,
  tag: 'passmint',
  summary: 'Register a webhook',
  scope: 'webhooks:write',
  body: newWebhookSchema.pick(shown),
  isIdempotent: true,
  responses: { 201: webhookSchema.extend({ secret: z.string().optional() }) },
} as const satisfies Operation;

export const listPassmintWebhooks = {
  id: 'listPassmintWebhooks',
  method: 'GET',
  path,
  tag: 'passmint',
  summary: 'List webhooks, newest first',
  scope: 'webhooks:read',
  query: z.strictObject(pageQuery('whk')),
  responses: { 200: pageSchema(webhookSchema) },
} as const satisfies Operation;

export const getPassmintWebhook = {
  ...ofWebhook,
  id: 'getPassmintWebhook',
  method: 'GET',
  summary: 'Read a webhook',
  scope: 'webhooks:read',
  responses: { 200: webhookSchema },
} as const satisfies Operation;

export const changePassmintWebhook = {
  ...ofWebhook,
  id: 'changePassmintWebhook',
  method: 'PATCH',
  summary: 'Change a webhook',
  scope: 'webhooks:write',
  body: webhookChangesSchema.pick(shown),
  responses: { 200: webhookSchema },
} as const satisfies Operation;

export const deletePassmintWebhook = {
  ...ofWebhook,
  id: 'deletePassmintWebhook',
  method: 'DELETE',
  summary: 'Delete a webhook and its delivery history',
  scope: 'webhooks:write',
  responses: { 204: null },
} as const satisfies Operation;

export const listPassmintDeliveries = {
  ...ofWebhook,
  id: 'listPassmintDeliveries',
  method: 'GET',
  path: `${path}/{id}/deliveries`,
  summary: "List a webhook's deliveries, newest first",
  scope: 'webhooks:read',
  query: z.strictObject(pageQuery('dlv')),
  responses: { 200: pageSchema(deliverySchema) },
} as const satisfies Operation;

export const rotatePassmintSecret = {
  ...ofWebhook,
  id: 'rotatePassmintSecret',
  method: 'POST',
  path: `${path}/{id}/rotate-secret`,
  summary: 'Give a webhook a new secret',
  scope: 'webhooks:write',
  body: secretRotationSchema,
  isBodyOptional: true,
  isIdempotent: true,
  responses: { 200: rotatedSecretSchema },
} as const satisfies Operation;
