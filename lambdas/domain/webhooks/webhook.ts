import * as z from 'zod';
import { customerSchema } from '../foundation/customer.ts';
import { rowVersion } from '../foundation/row-version.ts';

/** The name `*` in a webhook's events. It selects the types that the webhook's profile lists for it. */
export const EVERYTHING = '*';
/** The maximum number of event types that a webhook can name. */
export const MOST_EVENTS = 40;
/** The text that the API shows instead of a secret value. */
export const MASK = '***';

/**
 * A sealed secret in a webhook's row. `expires_at` is the time (milliseconds) at which the secret stops signing; null =
 * never.
 */
export const sealedSecretSchema = z.object({
  sealed: z.string(),
  expires_at: z.number().nullable(),
  /** The key pair that signs as long as the secret; absent unless the profile signs with key pairs of the webhook. */
  key_pair: z.object({ public_key: z.string(), sealed: z.string() }).optional(),
});
export type SealedSecret = z.infer<typeof sealedSecretSchema>;

/**
 * What a sealed text is. Of a webhook: a signing secret, the private key of its key pair, the password of Basic auth, or
 * the custom headers. Of an account: a private key (`signing-key`).
 */
export type SealPurpose = 'secret' | 'key-pair' | 'password' | 'headers' | 'signing-key';

/** A webhook as its row holds it. Only the deliver function can open `sealed` values. */
export const storedWebhookSchema = z.object({
  v: rowVersion,
  id: z.string(),
  owner: z.string(),
  /** The customer of the account to whom the webhook belongs. It never changes. */
  customer: customerSchema.default(null),
  url: z.string(),
  events: z.array(z.string()),
  resource: z.string().nullable().default(null),
  description: z.string().nullable().default(null),
  enabled: z.boolean(),
  disabled_reason: z.enum(['manual', 'gone', 'failing']).nullable().default(null),
  profile: z.string(),
  profile_options: z.record(z.string(), z.unknown()),
  /**
   * The webhook's retry schedule. `null` = the schedule of the webhook's profile. A name = the schedule of the profile
   * with that name. A list = the seconds before each retry.
   */
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
  /** The sealed signing secrets, newest first. */
  secrets: z.array(sealedSecretSchema),
  basic_auth: z.object({ username: z.string(), sealed: z.string() }).nullable().default(null),
  /** The custom headers: `sealed` is the encrypted JSON object of names and values, and the API shows `names`. */
  headers: z
    .object({ names: z.array(z.string()), sealed: z.string() })
    .nullable()
    .default(null),
  /**
   * The version of the webhook, raised by every change. A change is written only if the stored version is the one that
   * was read.
   */
  version: z.number(),
  created_at: z.string(),
  updated_at: z.string(),
  /** When the webhook's events or resource were set last; absent in rows of earlier releases until then. */
  routed_at: z.string().optional(),
  /** When the webhook was deleted. The row is then a tombstone; the history of its deliveries may still exist. */
  deleted_at: z.string().nullable().default(null),
  /** True on a tombstone whose delivery history was deleted too. A command may still be erasing the history's rows. */
  is_history_erased: z.boolean().optional(),
});
export type StoredWebhook = z.infer<typeof storedWebhookSchema>;
