import * as z from 'zod';
import { nameSchema } from './api-key.ts';

export const rateLimitSchema = z
  .int()
  .min(1)
  .max(30_000)
  .meta({ description: 'Requests a minute, for each key of the account.' });

/** A business, as its row holds it and the operator sees it. */
export const accountSchema = z
  .object({
    id: z.string(),
    name: nameSchema,
    rate_limit_per_minute: rateLimitSchema,
    created_at: z.iso.datetime(),
  })
  .meta({ id: 'Account' });
export type Account = z.infer<typeof accountSchema>;
