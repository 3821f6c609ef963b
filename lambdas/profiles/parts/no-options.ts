import * as z from 'zod';

/** The options of a profile that leaves a webhook no choice. */
export const noOptions = z.strictObject({});
export type NoOptions = z.infer<typeof noOptions>;
