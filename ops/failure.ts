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

/**
 * A message about a changed row that the fan-out could not carry out. Names the row, but does not contain the row's content.
 */
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

/**
 * Returns the change that a message of the failures queue is about, with the reason why the fan-out put it aside.
 */
export const failureOf = ({ id, body, sentAtMs }: QueueMessage): Failure => {
  const parsed = parse(body);
  const common = { message_id: id, put_aside_at: new Date(sentAtMs).toISOString() };
  // A message that the stream's event source mapping itself wrote to the failures queue cannot be parsed, so the
  // failure names no row.
  if (!parsed) {
    return {
      ...common,
      row: null,
      change: null,
      reason: 'the fan-out function did not write this message: read it in SQS',
    };
  }
  const { Keys, NewImage } = parsed.record.dynamodb;
  return {
    ...common,
    row: { kind: NewImage?.kind ?? null, ...Keys },
    change: parsed.record.eventName ?? null,
    reason: parsed.reason,
  };
};
