import * as z from 'zod';
import { requestOriginSchema } from '../foundation/origin.ts';
import { rowVersion } from '../foundation/row-version.ts';
import { recoverableStatuses } from './recovery-window.ts';

const base = {
  v: rowVersion,
  id: z.string(),
  owner: z.string(),
  /** That asked for it. */
  call: requestOriginSchema.optional(),
};

/** Work that the API asks of the fan-out, as a row: nothing is asked for except by something committed. */
export const commandSchema = z.discriminatedUnion('type', [
  /** The webhook is enabled again: what was held for it goes on. */
  z.object({ ...base, type: z.literal('release'), webhook_id: z.string() }),
  /** Deliveries of one event owe an attempt (`manual`) or their whole schedule (`replay`) again; those that never were are made. */
  z.object({
    ...base,
    type: z.literal('redeliver'),
    trigger: z.enum(['manual', 'replay']),
    event_id: z.string(),
    event_type: z.string(),
    delivery_ids: z.array(z.string()),
    /** The event's: for the deliveries that are made. */
    retention_days: z.number().optional(),
  }),
  /** Deliveries of a window get their schedule again: some of them now, the rest by the next step. */
  z.object({
    ...base,
    type: z.literal('recover'),
    webhook_id: z.string(),
    job_id: z.string(),
    /** Milliseconds, of the deliveries' events: from `since` on and before `until`. */
    since: z.number(),
    until: z.number(),
    status: z.array(z.enum(recoverableStatuses)),
    step: z.number(),
    /** Which of the lists it goes through comes next, and behind which delivery. */
    list: z.number(),
    after: z.string().nullable().default(null),
    done: z.number(),
  }),
  /** The webhook is gone and its deliveries with it: some of them now, the rest by the next step. */
  z.object({ ...base, type: z.literal('erase-history'), webhook_id: z.string(), step: z.number() }),
]);
export type Command = z.infer<typeof commandSchema>;
export type RedeliverCommand = Extract<Command, { type: 'redeliver' }>;
export type RecoverCommand = Extract<Command, { type: 'recover' }>;
export type EraseCommand = Extract<Command, { type: 'erase-history' }>;

/** The next part of taking a deleted webhook's deliveries away. The same id for the same step, so that it is asked for once. */
export const eraseCommand = (owner: string, webhookId: string, step: number): EraseCommand => ({
  id: `erase#${webhookId}#${step}`,
  owner,
  type: 'erase-history',
  webhook_id: webhookId,
  step,
});
