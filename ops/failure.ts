import * as z from 'zod';
import type { QueueMessage } from './queue-messages.ts';

const text = z.looseObject({ S: z.string() }).transform(({ S }) => S);
const bodySchema = z.object({
  reason: z.string(),
  record: z.object({
    eventName: z.string().nullish(),
    dynamodb: z.object({
      Keys: z.object({ pk: text, sk: text }),
      NewImage: z.looseObject({ kind: text.optional() }).nullish(),
    }),
  }),
});

/** A change that the fan-out could not understand: which row it was, not what stands in it. */
export interface Failure {
  readonly message_id: string;
  readonly row: { readonly kind: string | null; readonly pk: string; readonly sk: string } | null;
  readonly change: string | null;
  readonly put_aside_at: string;
  readonly reason: string;
}

const parse = (body: string) => {
  try {
    return bodySchema.safeParse(JSON.parse(body)).data;
  } catch {
    return undefined;
  }
};

export const failureOf = ({ id, body, sentAtMs }: QueueMessage): Failure => {
  const known = parse(body);
  const common = { message_id: id, put_aside_at: new Date(sentAtMs).toISOString() };
  // What the stream's mapping itself puts there has another form.
  if (!known)
    return { ...common, row: null, change: null, reason: 'it is not from the fan-out function: read it in SQS' };
  const { Keys, NewImage } = known.record.dynamodb;
  return {
    ...common,
    row: { kind: NewImage?.kind ?? null, ...Keys },
    change: known.record.eventName ?? null,
    reason: known.reason,
  };
};
