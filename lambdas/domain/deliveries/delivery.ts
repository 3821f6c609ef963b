import * as z from 'zod';
import { deliveryId } from '../foundation/id.ts';
import { rowVersion } from '../foundation/row-version.ts';

/**
 * ```text
 *            ┌────────── refused, a wait is left ─────────┐
 * pending ───┼─▶ delivered                                ▼
 *    │       └─▶ dead ◀── refused, none is left ──────  failed ──▶ delivered
 *    ├─ webhook disabled ─▶ held ─┬─ enabled again ─▶ pending, or failed if it was tried
 *    │                            └─ for 90 days ─▶ cancelled
 *    └─ webhook deleted  ─▶ cancelled
 * ```
 */
export const deliveryStatuses = ['pending', 'failed', 'delivered', 'dead', 'held', 'cancelled'] as const;
export type DeliveryStatus = (typeof deliveryStatuses)[number];

export const triggers = ['schedule', 'manual', 'recover', 'replay', 'resume'] as const;
export type Trigger = (typeof triggers)[number];

/** Why an attempt was no success. A closed list: clients may switch on it. */
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

/** One POST, as recorded. Times are milliseconds since the epoch. */
export const attemptSchema = z.object({
  number: z.number(),
  trigger: z.enum(triggers),
  due_at: z.number(),
  started_at: z.number(),
  duration_ms: z.number(),
  http_status: z.number().nullable().default(null),
  /** At most 2,000 code points. */
  response_body: z.string().nullable().default(null),
  /** In a delivery's `last`: the body was long and stands only in the attempt's own row. */
  has_body_row: z.boolean().default(false),
  error: z
    .object({ code: z.enum(attemptErrorCodes), message: z.string() })
    .nullable()
    .default(null),
  /** The names of the headers that were sent; values may hold secrets. */
  request_headers: z.array(z.string()).default([]),
});
export type Attempt = z.infer<typeof attemptSchema>;

/** A delivery as its row holds it. `webhook` and time of the event are in the id. */
export const storedDeliverySchema = z.object({
  v: rowVersion,
  id: z.string(),
  owner: z.string(),
  event_id: z.string(),
  event_type: z.string(),
  status: z.enum(deliveryStatuses),
  /** What the next message must carry; raised by everything that schedules. */
  ticket: z.number(),
  /** How many waits of the schedule are used up. */
  step: z.number().default(0),
  attempts_made: z.number().default(0),
  /** Of them; without it none. */
  attempts_refused: z.number().optional(),
  /** When the last refused attempt ended; without it none was. */
  refused_at: z.number().optional(),
  /** What the next attempt is for. */
  trigger: z.enum(triggers).default('schedule'),
  /** When the next attempt is due, milliseconds; for a first attempt the event's time. */
  due_at: z.number(),
  /** True while the wait is too long for the queue to carry. */
  parked: z.boolean().default(false),
  /** `due_at` is a slot reserved under the webhook's `max_per_second`. */
  has_slot: z.boolean().default(false),
  /** Its event's. */
  retention_days: z.number().optional(),
  settled_at: z.number().nullable().default(null),
  /** The request that asked for it again last. */
  requested_by: z.string().optional(),
  /** The last attempt, in the row as JSON text: one value where a map would be a dozen. It gets a row of its own when the next is recorded, or at once where its body is long. */
  last: z
    .preprocess((stored) => (typeof stored === 'string' ? JSON.parse(stored) : stored), attemptSchema.nullable())
    .default(null),
});
export type StoredDelivery = z.infer<typeof storedDeliverySchema>;

/** What a message or a due entry says: which delivery, and the ticket it was sent for. */
export interface DeliveryTicket {
  readonly deliveryId: string;
  readonly ticket: number;
  readonly owner: string;
  readonly eventId: string;
  readonly dueAtMs: number;
}

/** The fields of an event that its deliveries copy. `created_at` is RFC 3339. */
export interface DeliverableEvent {
  readonly id: string;
  readonly owner: string;
  readonly type: string;
  readonly created_at: string;
  readonly retention_days?: number | undefined;
}

/** The delivery of an event to a webhook before its first attempt: due at the time of the event. */
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
    retention_days: event.retention_days,
    settled_at: null,
    last: null,
  };
};

/** The ticket that a message for the delivery's next attempt carries. */
export const ticketOf = (delivery: StoredDelivery): DeliveryTicket => ({
  deliveryId: delivery.id,
  ticket: delivery.ticket,
  owner: delivery.owner,
  eventId: delivery.event_id,
  dueAtMs: delivery.due_at,
});
