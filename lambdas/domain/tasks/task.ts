import * as z from 'zod';
import { customerSchema } from '../foundation/customer.ts';
import { requestMarkSchema } from '../foundation/idempotency.ts';
import { rowVersion } from '../foundation/row-version.ts';

/**
 * The statuses of a task in the order of its life. A move changes a task's status to a later one in the list.
 * ```text
 * created ─ accept ─▶ accepted ─ pick-up ─▶ picked_up ─ deliver ─▶ delivered ─ complete ─▶ completed
 *    └───────────────────┴── cancel ────────────┴─▶ cancelled
 * ```
 */
export const taskStatuses = ['created', 'accepted', 'picked_up', 'delivered', 'completed', 'cancelled'] as const;
export type TaskStatus = (typeof taskStatuses)[number];

/** The moves of a task: the statuses from which each move is allowed, and the status to which it leads. */
export const taskMoves = {
  accept: { from: ['created'], to: 'accepted' },
  'pick-up': { from: ['accepted'], to: 'picked_up' },
  deliver: { from: ['picked_up'], to: 'delivered' },
  complete: { from: ['delivered'], to: 'completed' },
  cancel: { from: ['created', 'accepted', 'picked_up'], to: 'cancelled' },
} as const satisfies Record<string, { from: readonly TaskStatus[]; to: TaskStatus }>;
export type TaskMove = keyof typeof taskMoves;

/** Returns whether no move follows this status. */
export const isSettled = (status: TaskStatus): boolean => status === 'completed' || status === 'cancelled';

/**
 * Returns the schema of a text of at most `max` characters. The limits keep a task at about a kilobyte, the size that
 * one write unit pays for.
 */
const text = (max: number) => z.string().max(max).regex(/\S/, 'must contain a visible character');
const optional = <T extends z.ZodType>(schema: T) => schema.nullable().default(null);

const phoneSchema = z.e164('A phone number in E.164 form, such as +4790000000.');
const placeSchema = z.strictObject({ city: text(100), address: text(300) }).meta({ id: 'Place' });
/** A place as a task shows it: without the address once the task's personal data was erased. */
const shownPlaceSchema = placeSchema.extend({ address: text(300).nullable() }).meta({ id: 'TaskPlace' });

export const carrierSchema = z.strictObject({ name: text(200), phone: optional(phoneSchema) }).meta({ id: 'Carrier' });
const recipientSchema = z.strictObject({ name: text(200), phone: optional(phoneSchema) }).meta({ id: 'Recipient' });

/** The content of a task: the body of `POST /tasks`. */
export const taskContentSchema = z.strictObject({
  item: text(500),
  category: optional(text(100)).meta({ description: 'Short free text.' }),
  size: optional(z.enum(['envelope', 'small', 'medium', 'large', 'extra_large'])),
  urgency: optional(z.enum(['standard', 'express', 'same_day'])),
  reward_nok: optional(z.int().nonnegative()).meta({ description: 'Whole Norwegian kroner.' }),
  pickup: placeSchema,
  dropoff: placeSchema,
  recipient: optional(recipientSchema),
  external_reference: optional(text(200)).meta({
    description: "The caller's own reference. Several tasks may have the same one.",
  }),
});
export type TaskContent = z.infer<typeof taskContentSchema>;

/** The body of `POST /tasks`. */
export const newTaskSchema = taskContentSchema.extend({ owner: customerSchema.default(null) });

const timeSchema = z.iso.datetime();

/** A task as the API and its events show it. */
export const taskSchema = z
  .object({
    id: z.string(),
    status: z.enum(taskStatuses),
    owner: customerSchema.default(null),
    version: z.int().positive().meta({ description: 'Raised by every move; also the `sequence` of the event.' }),
    ...taskContentSchema.shape,
    pickup: shownPlaceSchema,
    dropoff: shownPlaceSchema,
    carrier: optional(carrierSchema),
    cancel_reason: optional(z.string()),
    created_at: timeSchema,
    updated_at: timeSchema,
    accepted_at: optional(timeSchema),
    picked_up_at: optional(timeSchema),
    delivered_at: optional(timeSchema),
    completed_at: optional(timeSchema),
    cancelled_at: optional(timeSchema),
    personal_data_erased_at: optional(timeSchema).meta({
      description:
        'Set by `DELETE /tasks/{id}/personal-data`. Since then, `item` is `erased`, and `recipient`, both `address` fields, `carrier` and `cancel_reason` are null.',
    }),
  })
  .meta({ id: 'Task' });
export type Task = z.infer<typeof taskSchema>;

/** A task as its row holds it. */
export const storedTaskSchema = taskSchema.extend({
  v: rowVersion,
  /** The account that owns the task, and its mode: `acc_…#live`. */
  owner: z.string(),
  /** The customer of the account to whom the task belongs; the API shows it as `owner`. */
  customer: customerSchema.default(null),
  /** Content hash of the request that created the task; null without an Idempotency-Key. */
  content_hash: optional(z.string()),
  /** The account's own retention in days when the row was written last; absent if the stack's applies. */
  retention_days: z.number().optional(),
  /**
   * When the row of a settled task expires, in seconds since the epoch; absent if the account had no
   * `task_retention_days` when the task was settled.
   */
  ttl: z.number().optional(),
  /** Id of the API key that created the task and of each key that moved it, by the status to which the change led. */
  moved_by: z.partialRecord(z.enum(taskStatuses), z.string()).optional(),
  /** The request that made each move under an Idempotency-Key, by the status to which the move led. */
  moved_by_key: z.partialRecord(z.enum(taskStatuses), requestMarkSchema).optional(),
  /** Id of the request that wrote the row last; see `isOwnWrite`. */
  written_by: z.string(),
  /** X-Ray's trace id of the request that wrote the row last. */
  trace_id: z.string().optional(),
});
export type StoredTask = z.infer<typeof storedTaskSchema>;

/** One change of a task's status: the status to which it led, its time, and the API key that made it. */
const taskChangeSchema = z
  .object({
    status: z.enum(taskStatuses),
    at: timeSchema,
    key_id: z.string().nullable().meta({ description: 'The API key that made the change; null if it is not known.' }),
  })
  .meta({ id: 'TaskChange' });

/** A task as `GET /tasks/{id}` shows it: with `include=history`, also the changes of its status. */
export const taskWithHistorySchema = taskSchema
  .extend({
    history: z.array(taskChangeSchema).optional().meta({
      description: 'The changes of the status, oldest first. Present only with `include=history`.',
    }),
  })
  .meta({ id: 'TaskWithHistory' });

/** Returns the type of the event that a task's change to this status publishes. */
export const taskEventType = (status: TaskStatus): string => `task.${status}`;

/** Returns the task as the API shows it, its fields in documented order. */
export const showTask = (stored: StoredTask): Task => taskSchema.parse({ ...stored, owner: stored.customer });

/** Returns the changes of a task's status, oldest first. */
export const taskHistory = (stored: StoredTask): z.infer<typeof taskChangeSchema>[] =>
  taskStatuses.flatMap((status) => {
    const at = stored[`${status}_at`];
    return at === null ? [] : [{ status, at, key_id: stored.moved_by?.[status] ?? null }];
  });

const noMoves = {
  carrier: null,
  cancel_reason: null,
  accepted_at: null,
  picked_up_at: null,
  delivered_at: null,
  completed_at: null,
  cancelled_at: null,
  personal_data_erased_at: null,
};

/** Returns a new task with the status `created`. */
export const newTask = (
  id: string,
  content: TaskContent,
  origin: Pick<
    StoredTask,
    'owner' | 'customer' | 'content_hash' | 'moved_by' | 'written_by' | 'trace_id' | 'retention_days'
  >,
  nowMs: number,
): StoredTask => {
  const created_at = new Date(nowMs).toISOString();
  return { id, status: 'created', version: 1, ...content, ...noMoves, created_at, updated_at: created_at, ...origin };
};

/** Returns the task as it was created. No move changes its content; erased personal data stays erased. */
export const taskAtCreation = (stored: StoredTask): StoredTask => ({
  ...stored,
  ...noMoves,
  personal_data_erased_at: stored.personal_data_erased_at,
  status: 'created',
  version: 1,
  updated_at: stored.created_at,
});

/** The statuses of a task that is not cancelled. A task has version 1 in the first one, and each move raises it by 1. */
const path = taskStatuses.filter((status) => status !== 'cancelled');

/**
 * Returns the task as the move to this status left it. The task must have made the move. Later moves only add fields,
 * and no move follows a cancellation.
 */
export const taskAfterMove = (stored: StoredTask, status: Exclude<TaskStatus, 'created'>): StoredTask => {
  if (status === 'cancelled') return stored;
  const later = path.slice(path.indexOf(status) + 1);
  return {
    ...stored,
    ...Object.fromEntries(later.map((name) => [`${name}_at`, null])),
    cancel_reason: null,
    cancelled_at: null,
    status,
    version: path.indexOf(status) + 1,
    updated_at: stored[`${status}_at`] ?? stored.updated_at,
  };
};
