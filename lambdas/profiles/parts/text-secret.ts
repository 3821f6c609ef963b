import * as z from 'zod';

/** The form of a secret that signs as it stands, by its UTF-8 bytes. */
export const textSecret = z
  .string()
  .min(8)
  .max(256)
  .refine((text) => text.isWellFormed(), 'must be well-formed Unicode');
