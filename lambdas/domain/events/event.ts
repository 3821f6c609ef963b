import * as z from 'zod';
import { requestOriginSchema } from '../foundation/origin.ts';
import { rowVersion } from '../foundation/row-version.ts';

/** What an event is about, beyond its type: a webhook may ask for one resource only. Bounded in bytes, because a thousand of them share the row that says who wants a type. */
export const resourceSchema = z
  .string()
  .min(1)
  .max(255)
  .refine((text) => Buffer.byteLength(text) <= 255, 'is longer than 255 bytes');

/** An event as its row holds it. `data` and `meta` are JSON text, so that what is signed is what was published. */
export const storedEventSchema = z.object({
  v: rowVersion,
  id: z.string(),
  /** `acc_…#live` */
  owner: z.string(),
  /** `publish`: by `POST /events`. `change`: made by the fan-out from a change of something else, so it does not pass through it again. */
  origin: z.enum(['publish', 'change']),
  type: z.string(),
  resource: z.string().nullable().default(null),
  data: z.string(),
  meta: z.string().nullable().default(null),
  publisher_id: z.string().nullable().default(null),
  /** The version of the thing that changed: receivers may order by it, queues do not. */
  sequence: z.number().nullable().default(null),
  /** The account's own retention, in days, as it was when this was written; absent where it is the stack's. */
  retention_days: z.number().optional(),
  /** RFC 3339, UTC, milliseconds. */
  created_at: z.string(),
  /** By which it came to be; none where no call did, as of a webhook's failing. */
  call: requestOriginSchema.optional(),
  /** The one webhook that an operational event is about, and must not be sent to. */
  about: z.string().optional(),
  /** The one webhook that a sample is for, whatever it wants and even while it is disabled. */
  test_of: z.string().optional(),
  /** Since when the body is gone: `data` is `null` then. */
  payload_deleted_at: z.string().optional(),
});
export type StoredEvent = z.infer<typeof storedEventSchema>;
