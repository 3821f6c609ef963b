import * as z from 'zod';

/** The API call by which something was written: what leads from a line about it, days later too, back to the caller. */
export const requestOriginSchema = z.object({
  request_id: z.string(),
  /** X-Ray's, where the call was traced. */
  trace_id: z.string().optional(),
});
export type RequestOrigin = z.infer<typeof requestOriginSchema>;
