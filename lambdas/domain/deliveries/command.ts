import * as z from 'zod';
import { requestOriginSchema } from '../foundation/origin.ts';
import { rowVersion } from '../foundation/row-version.ts';
import { recoverableStatuses } from './recovery-window.ts';

const base = {
  v: rowVersion,
  id: z.string(),
  owner: z.string(),
  /** The API call that submitted this command. */
  call: requestOriginSchema.optional(),
  /** When the roll-up submitted the command again, in milliseconds, because it was not carried out. */
  resubmitted_at: z.number().optional(),
};

/** Work that the API requests, stored as a row so that the fan-out picks it up from the stream. */
export const commandSchema = z.discriminatedUnion('type', [
  /** Releases the held deliveries of a webhook that was enabled again. */
  z.object({ ...base, type: z.literal('release'), webhook_id: z.string() }),
  /** Redelivers one event: one attempt (`manual`) or the full schedule (`replay`). Creates missing deliveries. */
  z.object({
    ...base,
    type: z.literal('redeliver'),
    trigger: z.enum(['manual', 'replay']),
    event_id: z.string(),
    event_type: z.string(),
    delivery_ids: z.array(z.string()),
    /**
     * For `manual`: the delivery's attempts when the retry was requested. The command does nothing if an attempt was
     * made since then.
     */
    attempts_made: z.number().optional(),
    /** True if the event is a test event, for the deliveries that the command creates. */
    test: z.boolean().optional(),
    /** The event's own retention in days, for the deliveries that the command creates. */
    retention_days: z.number().optional(),
  }),
  /**
   * Redelivers one page of a webhook's deliveries in a time window, with their full schedule. The command of the next
   * step redelivers the next page.
   */
  z.object({
    ...base,
    type: z.literal('recover'),
    webhook_id: z.string(),
    job_id: z.string(),
    /** Bounds of the events' creation times, milliseconds since the epoch; `since` is included, `until` is not. */
    since: z.number(),
    until: z.number(),
    status: z.array(z.enum(recoverableStatuses)),
    step: z.number(),
    /** Number, from 0, of the list whose deliveries the step reads. Each status has one list per shard. */
    list: z.number(),
    /** Id of the last delivery that the steps before read from the list `list`; `null` if they have not read from it. */
    after: z.string().nullable().default(null),
    /** Number of deliveries that the steps so far have redelivered. */
    done: z.number(),
  }),
  /** Erases one page of a deleted webhook's deliveries. The command of the next step erases the next page. */
  z.object({ ...base, type: z.literal('erase-history'), webhook_id: z.string(), step: z.number() }),
  /** Erases one page of the tasks of a deleted account. The command of the next step erases the next page. */
  z.object({ ...base, type: z.literal('erase-tasks'), step: z.number() }),
  /**
   * Erases what an event's payload has left in other rows: stored response bodies, and the input and the result of the
   * job that became the event. Cancels the event's unfinished deliveries.
   */
  z.object({
    ...base,
    type: z.literal('erase-payload'),
    event_id: z.string(),
    /** The event's time of creation, RFC 3339. The ids of the event's deliveries are derived from it. */
    event_created_at: z.string(),
    /** The job whose result became the event. */
    job_id: z.string().optional(),
  }),
]);
export type Command = z.infer<typeof commandSchema>;
export type ReleaseCommand = Extract<Command, { type: 'release' }>;
export type RedeliverCommand = Extract<Command, { type: 'redeliver' }>;
export type RecoverCommand = Extract<Command, { type: 'recover' }>;
export type EraseCommand = Extract<Command, { type: 'erase-history' }>;
export type EraseTasksCommand = Extract<Command, { type: 'erase-tasks' }>;
export type ErasePayloadCommand = Extract<Command, { type: 'erase-payload' }>;

/**
 * Returns the command that erases one page of a deleted webhook's deliveries. The command's id is derived from the
 * step, so that each step is submitted only once.
 */
export const eraseCommand = (owner: string, webhookId: string, step: number): EraseCommand => ({
  id: `erase#${webhookId}#${step}`,
  owner,
  type: 'erase-history',
  webhook_id: webhookId,
  step,
});

/** Returns the command that erases what an event's payload has left in the rows of its deliveries and of its job. */
export const erasePayloadCommand = (
  event: {
    readonly id: string;
    readonly owner: string;
    readonly created_at: string;
    readonly job_id?: string | undefined;
  },
  call: { readonly request_id: string; readonly trace_id?: string | undefined },
): ErasePayloadCommand => ({
  id: `erase-payload#${event.id}`,
  owner: event.owner,
  type: 'erase-payload',
  event_id: event.id,
  event_created_at: event.created_at,
  job_id: event.job_id,
  call,
});

/** Returns the command that erases one page of the tasks of a deleted account in one mode. */
export const eraseTasksCommand = (owner: string, step: number): EraseTasksCommand => ({
  id: `erase-tasks#${step}`,
  owner,
  type: 'erase-tasks',
  step,
});
