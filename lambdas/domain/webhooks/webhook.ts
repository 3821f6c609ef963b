import * as z from 'zod';
import { rowVersion } from '../foundation/row-version.ts';

/** `*` in a webhook's events: whatever its profile says it means. */
export const EVERYTHING = '*';
/** Event names a webhook may ask for. */
export const MOST_EVENTS = 40;
/** What reads show in place of a value that is never shown. */
export const MASK = '***';

/** A secret as its row holds it: sealed, with the time (milliseconds) at which it stops signing, or null. */
export const sealedSecretSchema = z.object({ sealed: z.string(), expires_at: z.number().nullable() });
export type SealedSecret = z.infer<typeof sealedSecretSchema>;

/** A webhook as its row holds it. What is `sealed` only the deliver function can open. */
export const storedWebhookSchema = z.object({
  v: rowVersion,
  id: z.string(),
  owner: z.string(),
  url: z.string(),
  events: z.array(z.string()),
  resource: z.string().nullable().default(null),
  description: z.string().nullable().default(null),
  enabled: z.boolean(),
  disabled_reason: z.enum(['manual', 'gone', 'failing']).nullable().default(null),
  profile: z.string(),
  profile_options: z.record(z.string(), z.unknown()),
  /** `null`: the profile's own. A name: that profile's. A list: seconds before each retry. */
  schedule: z
    .union([z.string(), z.array(z.number())])
    .nullable()
    .default(null),
  timeout_seconds: z.number(),
  api_version: z.string(),
  allow_http: z.boolean(),
  max_per_second: z.number().nullable().default(null),
  max_in_flight: z.number().nullable().default(null),
  auto_disable_after_hours: z.number().nullable().default(null),
  /** Newest first. */
  secrets: z.array(sealedSecretSchema),
  basic_auth: z.object({ username: z.string(), sealed: z.string() }).nullable().default(null),
  /** `sealed` is the JSON object of names and values; `names` may be shown. */
  headers: z
    .object({ names: z.array(z.string()), sealed: z.string() })
    .nullable()
    .default(null),
  /** Raised by every change; a change is made on the version it was read at. */
  version: z.number(),
  created_at: z.string(),
  updated_at: z.string(),
  /** Set on a tombstone: the webhook is gone, its deliveries' history is not. */
  deleted_at: z.string().nullable().default(null),
  /** On a tombstone: nor is the history there any more; its rows may still be on their way out. */
  is_history_erased: z.boolean().optional(),
});
export type StoredWebhook = z.infer<typeof storedWebhookSchema>;
