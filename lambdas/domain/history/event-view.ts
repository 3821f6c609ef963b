import * as z from 'zod';
import type { StoredEvent } from '../events/event.ts';
import type { StoredAuditEntry } from '../foundation/audit.ts';
import type { Page, Position } from '../foundation/page.ts';
import { deliveryViewSchema } from './delivery-view.ts';

/** The answer to publishing. */
export const publishedEventSchema = z
  .object({
    id: z.string(),
    type: z.string(),
    created_at: z.iso.datetime(),
    publisher_id: z.string().nullable().meta({ description: "The publisher's own id, where one was given." }),
  })
  .meta({ id: 'PublishedEvent' });
export type PublishedEvent = z.infer<typeof publishedEventSchema>;

export const eventViewSchema = publishedEventSchema
  .extend({
    resource: z.string().nullable(),
    data: z.record(z.string(), z.unknown()).nullable().meta({ description: 'null once it was deleted.' }),
    meta: z.record(z.string(), z.unknown()).nullable(),
    sequence: z
      .number()
      .nullable()
      .meta({ description: 'The version of the thing that changed; events of one thing may be ordered by it.' }),
    payload_deleted_at: z.iso.datetime().nullable(),
  })
  .meta({ id: 'Event' });
export type EventView = z.infer<typeof eventViewSchema>;

/** One event with its deliveries; what their receivers answered is read with `GET /deliveries/{id}`. */
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
  resource: event.resource,
  data: JSON.parse(event.data),
  meta: event.meta === null ? null : JSON.parse(event.meta),
  sequence: event.sequence,
  payload_deleted_at: event.payload_deleted_at ?? null,
});

/** Which events a list is of. */
export interface EventFilter {
  readonly type?: string | undefined;
  readonly resource?: string | undefined;
  /** Milliseconds; the first that counts. */
  readonly since?: number | undefined;
  /** Milliseconds; the first that does not count any more. */
  readonly until?: number | undefined;
}

/** Published events as they are read again. */
export interface EventArchive {
  get(owner: string, id: string, nowMs: number): Promise<StoredEvent | null>;
  /** Takes the body away, leaves the rest, and the entry where it was still there. False where there is no such event. */
  deletePayload(owner: string, id: string, entry: StoredAuditEntry, nowMs: number): Promise<boolean>;
  list(
    owner: string,
    filter: EventFilter,
    page: { readonly limit: number; readonly after: Position | null; readonly nowMs: number },
  ): Promise<Page<StoredEvent>>;
}
