import * as z from 'zod';
import { customerSchema } from '../foundation/customer.ts';
import { MASK, type StoredWebhook } from './webhook.ts';

/** A webhook as the API shows it. Secret values are masked. */
export const webhookViewSchema = z
  .object({
    id: z.string(),
    status: z.enum(['enabled', 'disabled']),
    disabled_reason: z.enum(['manual', 'gone', 'failing']).nullable(),
    url: z.string(),
    events: z.array(z.string()),
    owner: customerSchema,
    resource: z.string().nullable(),
    description: z.string().nullable(),
    enabled: z.boolean(),
    profile: z.string(),
    profile_options: z.record(z.string(), z.unknown()),
    schedule: z.union([z.array(z.number()), z.string()]).nullable(),
    timeout_seconds: z.number(),
    basic_auth: z.object({ username: z.string(), password: z.literal(MASK) }).nullable(),
    headers: z.record(z.string(), z.literal(MASK)),
    api_version: z.string(),
    public_key: z
      .string()
      .nullable()
      .meta({ description: 'The key that verifies `v1a` signatures (`whpk_…`); null unless the profile makes them.' }),
    allow_http: z.boolean(),
    max_per_second: z.number().nullable(),
    max_in_flight: z.number().nullable(),
    auto_disable_after_hours: z.number().nullable(),
    created_at: z.iso.datetime(),
    updated_at: z.iso.datetime(),
  })
  .meta({ id: 'Webhook' });
export type WebhookView = z.infer<typeof webhookViewSchema>;

/**
 * The answer to `POST /webhooks`. The first answer shows the webhook's secret; the answer to a repeated request does
 * not.
 */
export const createdWebhookSchema = webhookViewSchema
  .extend({ secret: z.string().optional() })
  .meta({ id: 'CreatedWebhook' });

export const webhookToView = (webhook: StoredWebhook): WebhookView => ({
  id: webhook.id,
  status: webhook.enabled ? 'enabled' : 'disabled',
  disabled_reason: webhook.disabled_reason,
  url: webhook.url,
  events: webhook.events,
  owner: webhook.customer,
  resource: webhook.resource,
  description: webhook.description,
  enabled: webhook.enabled,
  profile: webhook.profile,
  profile_options: webhook.profile_options,
  schedule: webhook.schedule,
  timeout_seconds: webhook.timeout_seconds,
  basic_auth: webhook.basic_auth && { username: webhook.basic_auth.username, password: MASK },
  headers: Object.fromEntries((webhook.headers?.names ?? []).map((name) => [name, MASK] as const)),
  api_version: webhook.api_version,
  public_key: webhook.secrets[0]?.key_pair?.public_key ?? null,
  allow_http: webhook.allow_http,
  max_per_second: webhook.max_per_second,
  max_in_flight: webhook.max_in_flight,
  auto_disable_after_hours: webhook.auto_disable_after_hours,
  created_at: webhook.created_at,
  updated_at: webhook.updated_at,
});

/** The part of a secret rotation's answer that a repeat of the request gets too. */
export const rotationViewSchema = z.object({
  previous_expires_at: z.iso.datetime().meta({ description: 'The time until which the previous secret signs.' }),
});
export type RotationView = z.infer<typeof rotationViewSchema>;
