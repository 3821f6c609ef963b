import * as z from 'zod';
import { customerSchema } from '../foundation/customer.ts';
import { requestOriginSchema } from '../foundation/origin.ts';
import { rowVersion } from '../foundation/row-version.ts';

/**
 * The name of the thing that an event is about; a webhook may subscribe to one resource only. At most 255 bytes,
 * because a routing row of a type holds the resources of up to a thousand webhooks.
 */
export const resourceSchema = z
  .string()
  .min(1)
  .max(255)
  .refine((text) => Buffer.byteLength(text) <= 255, 'is longer than 255 bytes');

/** An event as its row holds it. `data` and `meta` are JSON text, so that exactly the published text is signed. */
export const storedEventSchema = z.object({
  v: rowVersion,
  id: z.string(),
  /** The account that owns the event, and its mode: `acc_…#live`. */
  owner: z.string(),
  /** The customer of the account to whom the event belongs. */
  customer: customerSchema.default(null),
  /**
   * What started the event's fan-out. `publish` = the row of the event itself was written. `change` = another row
   * changed, and the fan-out made the event from the change.
   */
  origin: z.enum(['publish', 'change']),
  type: z.string(),
  resource: z.string().nullable().default(null),
  data: z.string(),
  meta: z.string().nullable().default(null),
  publisher_id: z.string().nullable().default(null),
  /**
   * The version of the changed thing. Receivers may order events by this number, because deliveries come in any order.
   */
  sequence: z.number().nullable().default(null),
  /** The account's own retention in days when the event was written; absent if the stack's applies. */
  retention_days: z.number().optional(),
  /** The event's time of creation: RFC 3339, UTC, with milliseconds. */
  created_at: z.string(),
  /** The API request that caused the event; absent if none did, as for `webhook.failing`. */
  call: requestOriginSchema.optional(),
  /** The webhook that an operational event is about. The event is not sent to this webhook. */
  about: z.string().optional(),
  /**
   * Set on a test event: the only webhook that gets it, whatever types the webhook wants and even while it is disabled.
   */
  test_of: z.string().optional(),
  /** The job whose result became the event. The erasure of the payload reaches the job too. */
  job_id: z.string().optional(),
  /** When the event's payload was erased. `data` is the text `null` since then. */
  payload_deleted_at: z.string().optional(),
});
export type StoredEvent = z.infer<typeof storedEventSchema>;
