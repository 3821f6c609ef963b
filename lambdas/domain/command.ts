import * as z from 'zod';

/** Work that the API asks of the fan-out, as a row: nothing is asked for except by something committed. */
export const commandSchema = z.object({
  id: z.string(),
  owner: z.string(),
  /** `resume`: the webhook is enabled again, what was held for it goes on. */
  type: z.literal('resume'),
  webhook_id: z.string(),
});
export type Command = z.infer<typeof commandSchema>;
