import * as operations from '../contract/events.ts';
import { eventFaults, eventsToCheck, type PublishRules } from '../domain/events/check-events.ts';
import { type EventStore, publishEvents } from '../domain/events/publish-events.ts';
import { auditEntry } from '../domain/foundation/audit.ts';
import { invalid, notFound } from '../domain/foundation/errors.ts';
import { pageToBody } from '../domain/foundation/page.ts';
import { type EventArchive, eventToPublished, eventToView } from '../domain/history/event-view.ts';
import { type DeliveriesOfEvent, deliveriesOfEvent } from '../domain/history/read-deliveries.ts';
import { type ReplayDependencies, replayEvent } from '../domain/redelivery/replay-event.ts';
import { type Route, replayHeaders, route } from '../runtime/operation.ts';

/** Returns the routes of the calls about events. */
export const eventRoutes = (
  store: EventStore & EventArchive,
  rules: PublishRules,
  deliveries: DeliveriesOfEvent & Omit<ReplayDependencies, 'store'>,
): Route[] => [
  route(
    operations.publishEvents,
    async (request) => {
      const { events, isRepeat } = await publishEvents(request, { store, rules });
      const published = events.map(eventToPublished);
      return {
        status: 202,
        body: 'events' in request.body ? { data: published } : published[0],
        headers: replayHeaders(isRepeat),
      };
    },
    ({ owner, content }) => eventFaults(owner, eventsToCheck(content), rules),
  ),

  route(operations.listEvents, async ({ owner, query: { limit, cursor, ...filter }, cursorScope, nowMs }) => {
    // Refuses a cursor without a time. Events are listed by time, and an event id that is derived (for example from an
    // Idempotency-Key) contains no time, so the cursor itself must contain the time.
    if (cursor?.at === '') throw invalid('cursor', 'invalid', 'is not a cursor of this list');
    const page = await store.list(owner, filter, { limit, after: cursor ?? null, nowMs });
    return { status: 200, body: pageToBody(page, eventToView, cursorScope) };
  }),

  route(operations.getEvent, async ({ owner, id, nowMs }) => {
    const event = await store.get(owner, id, nowMs);
    if (!event) throw notFound('event');
    const views = await deliveriesOfEvent(event, nowMs, deliveries);
    return { status: 200, body: { ...eventToView(event), deliveries: views } };
  }),

  route(operations.replayEvent, async (request) => {
    const replay = { ...request, path: `/events/${request.id}/replay`, webhookId: request.body.webhook_id };
    const { answer, isRepeat } = await replayEvent(replay, { ...deliveries, store });
    return { status: 202, body: answer, headers: replayHeaders(isRepeat) };
  }),

  route(operations.deletePayload, async ({ owner, id, by, requestId, traceId, nowMs }) => {
    const call = { request_id: requestId, trace_id: traceId };
    const entry = auditEntry(by, 'event.payload_deleted', id, nowMs);
    if (await store.deletePayload(owner, id, entry, call, nowMs)) return { status: 204 };
    throw notFound('event');
  }),
];
