import * as z from 'zod';
import { deliveryId } from '../foundation/id.ts';
import { rowVersion } from '../foundation/row-version.ts';

/**
 * The statuses of a delivery and its transitions between them:
 *
 * ```text
 *            ┌────────── refused, retries left ───────────┐
 * pending ───┼─▶ delivered                                ▼
 *    │       └─▶ dead ◀── refused, no retries left ───  failed ──▶ delivered
 *    ├─ webhook disabled ─▶ held ─┬─ enabled again ─▶ pending, or failed if it was attempted before
 *    │                            └─ after 90 days ─▶ cancelled
 *    └─ webhook deleted  ─▶ cancelled
 * ```
 *
 * A redelivery of a dead or cancelled delivery makes it pending again. A delivered delivery stays delivered: while it is
 * redelivered, only its `redelivery` changes, and every end of the redelivery sets that field to null.
 *
 * ```text
 * delivered ── redelivered ─▶ waiting ─┬─ accepted, or refused and no retries left ─▶ null
 *                                ▲     ├─ refused, retries left ─▶ waiting
 *                                │     ├─ webhook disabled ─▶ held ── after 90 days ─▶ null
 *                                │     └─ webhook deleted ─▶ null    │
 *                                └───────────── enabled again ───────┘
 * ```
 */
export const deliveryStatuses = ['pending', 'failed', 'delivered', 'dead', 'held', 'cancelled'] as const;
export type DeliveryStatus = (typeof deliveryStatuses)[number];

export const triggers = ['schedule', 'manual', 'recover', 'replay', 'resume'] as const;
export type Trigger = (typeof triggers)[number];

/** The codes that say why an attempt failed. The list is closed, so that clients may switch on a code. */
export const attemptErrorCodes = [
  'timeout',
  'connection_refused',
  'dns',
  'tls',
  'forbidden_address',
  'redirect',
  'body_too_large',
  'headers_too_large',
  'connection_reset',
  'not_http',
  'refused_status',
  'gone',
] as const;
export type AttemptErrorCode = (typeof attemptErrorCodes)[number];

/** The record of one POST request. Times are milliseconds since the epoch. */
export const attemptSchema = z.object({
  number: z.number(),
  trigger: z.enum(triggers),
  due_at: z.number(),
  started_at: z.number(),
  duration_ms: z.number(),
  http_status: z.number().nullable().default(null),
  /** The start of the response body: at most 2,000 code points. */
  response_body: z.string().nullable().default(null),
  /** True only in a delivery's `last`: the response body is long and is stored only in the attempt's own row. */
  has_body_row: z.boolean().default(false),
  error: z
    .object({ code: z.enum(attemptErrorCodes), message: z.string() })
    .nullable()
    .default(null),
  /** The names of the request's headers. Their values are not recorded, because they may hold secrets. */
  request_headers: z.array(z.string()).default([]),
});
export type Attempt = z.infer<typeof attemptSchema>;

/** A delivery as it is stored. Its id contains the webhook and the time of the event. */
export const storedDeliverySchema = z.object({
  v: rowVersion,
  id: z.string(),
  owner: z.string(),
  event_id: z.string(),
  event_type: z.string(),
  status: z.enum(deliveryStatuses),
  /**
   * The number that a queue message must carry to be acted on. Every transition of the delivery increments the number.
   */
  ticket: z.number(),
  /** Number of waits of the retry schedule that are used. */
  step: z.number().default(0),
  attempts_made: z.number().default(0),
  /** Number of attempts that were refused; absent means 0. */
  attempts_refused: z.number().optional(),
  /** End of the last refused attempt, milliseconds; absent if no attempt was refused. */
  refused_at: z.number().optional(),
  /** The reason for the next attempt. */
  trigger: z.enum(triggers).default('schedule'),
  /**
   * Set while a delivered delivery is redelivered: it waits for an attempt, or it is held because its webhook is
   * disabled. Absent or null otherwise. The delivery stays `delivered` whatever the receiver answers.
   */
  redelivery: z.enum(['waiting', 'held']).nullish(),
  /**
   * True if a person requested the next attempt of the schedule now. The attempt has the trigger `manual`; `trigger`
   * stays as it is, because the schedule continues after the attempt.
   */
  sent_now: z.boolean().optional(),
  /** True if the event is a sample that a test of a webhook published. */
  test: z.boolean().optional(),
  /** Due time of the next attempt, milliseconds. A first attempt is due at the event's time. */
  due_at: z.number(),
  /** True if the wait for the next attempt is too long for the queue, so that the due index sends the message later. */
  parked: z.boolean().default(false),
  /** True if `due_at` is a slot (time to send) reserved under the webhook's `max_per_second`. */
  has_slot: z.boolean().default(false),
  /** True if `due_at` is, or was, a slot reserved under the account's `deliveries_per_minute`. */
  has_account_slot: z.boolean().default(false),
  /** The account's own retention in days, copied from the event; absent if the stack's applies. */
  retention_days: z.number().optional(),
  settled_at: z.number().nullable().default(null),
  /** Id of the API request that last redelivered or released the delivery. */
  requested_by: z.string().optional(),
  /**
   * The last attempt. The row stores it as JSON text, one value instead of a dozen. It moves to a row of its own when the
   * next attempt is recorded, or immediately if its response body is long.
   */
  last: z
    .preprocess((stored) => (typeof stored === 'string' ? JSON.parse(stored) : stored), attemptSchema.nullable())
    .default(null),
});
export type StoredDelivery = z.infer<typeof storedDeliverySchema>;

/** The content of a queue message or a due-index entry: a delivery and the ticket number that the attempt is for. */
export interface DeliveryTicket {
  readonly deliveryId: string;
  readonly ticket: number;
  readonly owner: string;
  readonly eventId: string;
  readonly dueAtMs: number;
}

/** The fields of an event that its deliveries copy. `created_at` is in RFC 3339 format. */
export interface DeliverableEvent {
  readonly id: string;
  readonly owner: string;
  readonly type: string;
  readonly created_at: string;
  readonly retention_days?: number | undefined;
  /** Set on a test event: the webhook that is tested. */
  readonly test_of?: string | undefined;
}

/** Returns a new delivery of an event to a webhook, due at the time of the event. */
export const newDelivery = (event: DeliverableEvent, webhookId: string): StoredDelivery => {
  const createdAtMs = Date.parse(event.created_at);
  return {
    id: deliveryId(createdAtMs, event.id, webhookId),
    owner: event.owner,
    event_id: event.id,
    event_type: event.type,
    status: 'pending',
    ticket: 1,
    step: 0,
    attempts_made: 0,
    trigger: 'schedule',
    due_at: createdAtMs,
    parked: false,
    has_slot: false,
    has_account_slot: false,
    retention_days: event.retention_days,
    test: event.test_of === undefined ? undefined : true,
    settled_at: null,
    last: null,
  };
};

/** Returns whether the delivery waits for an attempt at a known time. */
export const isWaiting = ({ status, redelivery }: StoredDelivery): boolean =>
  status === 'pending' || status === 'failed' || (status === 'delivered' && redelivery === 'waiting');

/** Returns whether the delivery waits until its webhook is enabled. */
export const isHeld = ({ status, redelivery }: StoredDelivery): boolean =>
  status === 'held' || (status === 'delivered' && redelivery === 'held');

/** Returns whether another attempt of the delivery may come although nobody requests one. */
export const isUnfinished = (delivery: StoredDelivery): boolean => isWaiting(delivery) || isHeld(delivery);

/** Returns the content of the queue message for a delivery's next attempt. */
export const ticketOf = (delivery: StoredDelivery): DeliveryTicket => ({
  deliveryId: delivery.id,
  ticket: delivery.ticket,
  owner: delivery.owner,
  eventId: delivery.event_id,
  dueAtMs: delivery.due_at,
});
