import * as z from 'zod';

/** The schema of a webhook's secret whose UTF-8 bytes are the signing key. */
export const textSecret = z
  .string()
  .min(8)
  .max(256)
  .refine((text) => text.isWellFormed(), 'must be well-formed Unicode');
