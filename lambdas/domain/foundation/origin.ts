import * as z from 'zod';

/** The API request that wrote a row. It leads from a log line about the row back to the caller, even days later. */
export const requestOriginSchema = z.object({
  request_id: z.string(),
  /** X-Ray's trace id of the request; absent if the request was not traced. */
  trace_id: z.string().optional(),
});
export type RequestOrigin = z.infer<typeof requestOriginSchema>;
