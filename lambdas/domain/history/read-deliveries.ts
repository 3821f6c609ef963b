import type { Attempt, DeliveryStatus, StoredDelivery } from '../deliveries/delivery.ts';
import type { StoredEvent } from '../events/event.ts';
import { mayUse } from '../foundation/customer.ts';
import { notFound } from '../foundation/errors.ts';
import { deliveryId, isTimeless, timeOfId, webhookOfDelivery } from '../foundation/id.ts';
import type { Page, Position } from '../foundation/page.ts';
import { MINUTE_MS } from '../foundation/time.ts';
import type { StoredWebhook } from '../webhooks/webhook.ts';
import { type AttemptView, attemptToView, type DeliveryView, deliveryToView } from './delivery-view.ts';

export interface DeliveryFilter {
  readonly status?: DeliveryStatus | undefined;
  readonly event_type?: string | undefined;
  /** The earliest creation time of the events of the listed deliveries, in milliseconds since the epoch. */
  readonly since?: number | undefined;
  /** The time before which the events of the listed deliveries were created, in milliseconds since the epoch. */
  readonly until?: number | undefined;
}

export interface DeliveryHistory {
  list(
    webhookId: string,
    filter: DeliveryFilter,
    page: { readonly limit: number; readonly after: Position | null; readonly nowMs: number },
  ): Promise<Page<StoredDelivery>>;
  /** Returns the stored deliveries that have these ids, in the order of the ids. */
  find(ids: readonly string[], nowMs: number): Promise<readonly StoredDelivery[]>;
  /** Returns the given deliveries, each with the complete response body in its last attempt. */
  withBodies(deliveries: readonly StoredDelivery[]): Promise<readonly StoredDelivery[]>;
  /**
   * Returns all attempts of a delivery, oldest first. If the delivery was held for weeks, its earliest attempts may
   * have expired.
   */
  attempts(delivery: StoredDelivery, nowMs: number): Promise<readonly Attempt[]>;
}

interface Schedules {
  readonly scheduleOf: (webhook: StoredWebhook) => readonly number[];
}

/** Finds a webhook, or its tombstone if it was deleted. */
type FindAnyWebhook = (owner: string, id: string) => Promise<StoredWebhook | null>;

export interface DeliveriesOfWebhook extends Schedules {
  readonly history: Pick<DeliveryHistory, 'list' | 'find' | 'withBodies'>;
  readonly webhooks: { readonly findAny: FindAnyWebhook };
  readonly events: { get(owner: string, id: string, nowMs: number): Promise<StoredEvent | null> };
}

export interface OneDelivery extends Schedules {
  readonly history: Pick<DeliveryHistory, 'find' | 'attempts'>;
  readonly webhooks: { readonly findAny: FindAnyWebhook };
}

export interface DeliveriesOfEvent extends Schedules {
  readonly history: Pick<DeliveryHistory, 'find'>;
  readonly webhooks: { listAny(owner: string): Promise<readonly StoredWebhook[]> };
}

export interface ListDeliveriesRequest {
  readonly owner: string;
  readonly webhookId: string;
  readonly filter: DeliveryFilter & { readonly event_id?: string | undefined };
  readonly limit: number;
  readonly after: Position | null;
  readonly nowMs: number;
}

const matches = (filter: DeliveryFilter, { status, event_type, id }: StoredDelivery): boolean =>
  (filter.status === undefined || filter.status === status) &&
  (filter.event_type === undefined || filter.event_type === event_type) &&
  timeOfId(id) >= (filter.since ?? 0) &&
  (filter.until === undefined || timeOfId(id) < filter.until);

/**
 * Returns a page of a webhook's stored deliveries, newest first. With `event_id`, the delivery is found by its own id,
 * which is derived from event and webhook. Throws `not_found` if the webhook does not exist.
 */
export const findDeliveries = async (
  request: ListDeliveriesRequest,
  { history, webhooks, events }: Omit<DeliveriesOfWebhook, 'scheduleOf'>,
): Promise<Page<StoredDelivery> & { readonly webhook: StoredWebhook }> => {
  const { owner, webhookId, filter, limit, after, nowMs } = request;
  const webhook = await webhooks.findAny(owner, webhookId);
  if (webhook?.deleted_at !== null) throw notFound('webhook');

  const findByEvent = async (eventId: string): Promise<Page<StoredDelivery>> => {
    const event = isTimeless(eventId) ? await events.get(owner, eventId, nowMs) : null;
    if (isTimeless(eventId) && !event) return { items: [], next: null };
    const timeMs = event ? Date.parse(event.created_at) : timeOfId(eventId);
    const found = after ? [] : await history.find([deliveryId(timeMs, eventId, webhookId)], nowMs);
    return { items: found.filter((delivery) => matches(filter, delivery)), next: null };
  };

  const page = await (filter.event_id === undefined
    ? history.list(webhookId, filter, { limit, after, nowMs })
    : findByEvent(filter.event_id));
  return { webhook, items: await history.withBodies(page.items), next: page.next };
};

/**
 * Returns a page of a webhook's deliveries as the API shows them, newest first. Throws `not_found` if the webhook does
 * not exist.
 */
export const listDeliveries = async (
  request: ListDeliveriesRequest,
  { scheduleOf, ...dependencies }: DeliveriesOfWebhook,
): Promise<Page<DeliveryView>> => {
  const { webhook, items, next } = await findDeliveries(request, dependencies);
  return { items: items.map((delivery) => deliveryToView(delivery, webhook, scheduleOf)), next };
};

/** Returns one delivery with its attempts, even if its webhook was deleted. Throws `not_found`. */
export const readDelivery = async (
  { owner, id, nowMs }: { readonly owner: string; readonly id: string; readonly nowMs: number },
  { history, webhooks, scheduleOf }: OneDelivery,
): Promise<DeliveryView & { attempts: AttemptView[] }> => {
  const [delivery] = await history.find([id], nowMs);
  if (delivery?.owner !== owner) throw notFound('delivery');
  const webhook = await webhooks.findAny(owner, webhookOfDelivery(id));
  if (webhook?.is_history_erased) throw notFound('delivery');
  const attempts = await history.attempts(delivery, nowMs);
  const last = attempts.at(-1) ?? null;
  const view = deliveryToView({ ...delivery, last }, webhook, scheduleOf);
  return { ...view, attempts: attempts.map(attemptToView) };
};

/**
 * Returns the deliveries of an event, to webhooks that the caller's customer may use. Each existing or deleted webhook may
 * have one, with an id that is derived from event and webhook.
 */
export const deliveriesOfEvent = async (
  event: StoredEvent,
  customer: string | null,
  nowMs: number,
  { history, webhooks, scheduleOf }: DeliveriesOfEvent,
): Promise<Omit<DeliveryView, 'response_body'>[]> => {
  const timeMs = Date.parse(event.created_at);
  // Leaves out webhooks that were deleted before the event. The minute covers clocks that differ.
  const wasDeleted = ({ deleted_at }: StoredWebhook) =>
    deleted_at !== null && Date.parse(deleted_at) < timeMs - MINUTE_MS;
  const all = await webhooks.listAny(event.owner);
  const candidates = all.filter(
    (webhook) => !webhook.is_history_erased && !wasDeleted(webhook) && mayUse(customer, webhook.customer),
  );
  const byId = new Map(candidates.map((webhook) => [webhook.id, webhook]));
  const ids = candidates.map(({ id }) => deliveryId(timeMs, event.id, id));
  const deliveries = await history.find(ids, nowMs);
  return deliveries.map((delivery) => {
    const webhook = byId.get(webhookOfDelivery(delivery.id)) ?? null;
    const { response_body: _long, ...view } = deliveryToView(delivery, webhook, scheduleOf);
    return view;
  });
};
