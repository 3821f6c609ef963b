import * as z from 'zod';
import type { StoredEvent } from '../events/event.ts';
import type { StoredAuditEntry } from '../foundation/audit.ts';
import { customerSchema } from '../foundation/customer.ts';
import type { RequestOrigin } from '../foundation/origin.ts';
import type { Page, Position } from '../foundation/page.ts';
import { deliveryViewSchema } from './delivery-view.ts';

/** A published event in the answer to `POST /events`. */
export const publishedEventSchema = z
  .object({
    id: z.string(),
    type: z.string(),
    created_at: z.iso.datetime(),
    publisher_id: z.string().nullable().meta({ description: "The publisher's own id, if given." }),
  })
  .meta({ id: 'PublishedEvent' });
export type PublishedEvent = z.infer<typeof publishedEventSchema>;

export const eventViewSchema = publishedEventSchema
  .extend({
    owner: customerSchema,
    resource: z.string().nullable(),
    data: z.record(z.string(), z.unknown()).nullable().meta({ description: 'null once the payload was deleted.' }),
    meta: z.record(z.string(), z.unknown()).nullable(),
    sequence: z
      .number()
      .nullable()
      .meta({ description: 'The version of the changed thing. Orders the events of one thing.' }),
    payload_deleted_at: z.iso.datetime().nullable(),
  })
  .meta({ id: 'Event' });
export type EventView = z.infer<typeof eventViewSchema>;

/** One event with its deliveries. `GET /deliveries/{id}` shows the response bodies. */
export const eventWithDeliveriesSchema = eventViewSchema
  .extend({ deliveries: z.array(deliveryViewSchema.omit({ response_body: true })) })
  .meta({ id: 'EventWithDeliveries' });

export const eventToPublished = ({ id, type, created_at, publisher_id }: StoredEvent): PublishedEvent => ({
  id,
  type,
  created_at,
  publisher_id,
});

export const eventToView = (event: StoredEvent): EventView => ({
  ...eventToPublished(event),
  owner: event.customer,
  resource: event.resource,
  data: JSON.parse(event.data),
  meta: event.meta === null ? null : JSON.parse(event.meta),
  sequence: event.sequence,
  payload_deleted_at: event.payload_deleted_at ?? null,
});

/** The filter of a list of events. */
export interface EventFilter {
  readonly type?: string | undefined;
  readonly resource?: string | undefined;
  /** Lists only events that this customer of the account may use; null = all. */
  readonly customer: string | null;
  /** The earliest creation time of the events that are listed, in milliseconds since the epoch. */
  readonly since?: number | undefined;
  /** The time before which the listed events were created, in milliseconds since the epoch. */
  readonly until?: number | undefined;
}

/** The store of published events, for reads and erasure. */
export interface EventArchive {
  get(owner: string, id: string, nowMs: number): Promise<StoredEvent | null>;
  /**
   * Erases an event's payload. If the payload was still there, also adds the audit entry and submits a command. The command
   * erases the response bodies of the event's deliveries and the content of its job, and cancels the unfinished deliveries.
   * Returns false if the event does not exist.
   */
  deletePayload(
    owner: string,
    id: string,
    entry: StoredAuditEntry,
    call: RequestOrigin,
    nowMs: number,
  ): Promise<boolean>;
  list(
    owner: string,
    filter: EventFilter,
    page: { readonly limit: number; readonly after: Position | null; readonly nowMs: number },
  ): Promise<Page<StoredEvent>>;
}
