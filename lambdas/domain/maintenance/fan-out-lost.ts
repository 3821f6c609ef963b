import { newDelivery, type StoredDelivery, ticketOf } from '../deliveries/delivery.ts';
import type { StoredEvent } from '../events/event.ts';
import { receiversOf } from '../fan-out/fan-out.ts';
import { retentionOf } from '../foundation/retention.ts';
import { DAY_MS, MINUTE_MS } from '../foundation/time.ts';
import type { LostChangesSearch } from './lost-changes.ts';

/**
 * Milliseconds by which a webhook's subscription must be older than an event that the webhook misses. The clocks of two
 * functions differ, and a subscription is written a moment after its time.
 */
const ROUTING_MARGIN_MS = MINUTE_MS;

/** Returns whether an event's deliveries can still be read. The rows of older deliveries may have expired. */
export const isRecent = (
  { created_at, retention_days }: StoredEvent,
  { tickAtMs, retentionDays }: LostChangesSearch,
): boolean => Date.parse(created_at) > tickAtMs - retentionOf(retention_days, retentionDays) * DAY_MS;

/**
 * Writes the rows of events that the fan-out never wrote, with deliveries to the webhooks that want them now. Returns false
 * if the time was up before the last event.
 */
export const fanOutLost = async (search: LostChangesSearch, events: readonly StoredEvent[]): Promise<boolean> => {
  if (events.length === 0) return true;
  const subscribers = await search.store.subscribers(events);
  for (const [index, event] of events.entries()) {
    if (search.isTimeUp()) return false;
    const webhookIds = receiversOf(event, subscribers[index] ?? []);
    await create(
      search,
      event,
      false,
      webhookIds.map((webhookId) => newDelivery(event, webhookId)),
    );
  }
  return true;
};

/**
 * Creates the missing deliveries of stored events for the webhooks that wanted the events before they happened. `sinceMs`
 * holds since when each webhook of the owner has wanted its events; a webhook that it does not hold is deleted. Returns
 * false if the time was up before the last event.
 */
export const createMissing = async (
  search: LostChangesSearch,
  events: readonly StoredEvent[],
  sinceMs: ReadonlyMap<string, number>,
): Promise<boolean> => {
  if (events.length === 0) return true;
  const subscribers = await search.store.subscribers(events);
  const expected = events.map((event, index) =>
    receiversOf(event, subscribers[index] ?? [])
      .filter((webhookId) => wantedBefore(event, sinceMs.get(webhookId)))
      .map((webhookId) => newDelivery(event, webhookId)),
  );
  const storedIds = await search.store.storedDeliveryIds(expected.flat().map(({ id }) => id));
  for (const [index, event] of events.entries()) {
    const missing = expected[index]?.filter(({ id }) => !storedIds.has(id)) ?? [];
    if (missing.length > 0 && search.isTimeUp()) return false;
    if (missing.length > 0) await create(search, event, true, missing);
  }
  return true;
};

/** Returns whether a webhook that has wanted its events since `sinceMs` wanted this event before it happened. */
const wantedBefore = (event: StoredEvent, sinceMs: number | undefined): boolean =>
  sinceMs !== undefined && sinceMs + ROUTING_MARGIN_MS <= Date.parse(event.created_at);

/**
 * Writes the row of a lost event, unless it is stored, and the rows of its deliveries, and sends their messages. Existing
 * rows stay unchanged. An event whose rows DynamoDB refuses is reported, because it must not stop the search.
 */
const create = async (
  { store, queue, clock, report, refusalCodeOf }: LostChangesSearch,
  event: StoredEvent,
  isStored: boolean,
  deliveries: readonly StoredDelivery[],
): Promise<void> => {
  try {
    await store.add([], deliveries, clock());
    // The event's row is written after its deliveries: if the roll-up is killed between the two, the event is found again.
    if (!isStored) await store.add([event], [], clock());
    await queue.send(deliveries.map(ticketOf), clock());
  } catch (error) {
    const code = refusalCodeOf(error);
    if (code === null) throw error;
    report.refused.push({ eventId: event.id, code });
    return;
  }
  report.lostChanges++;
  report.deliveries += deliveries.length;
};
