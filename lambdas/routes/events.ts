import * as operations from '../contract/events.ts';
import { type EventStore, type PublishRules, publishEvents } from '../domain/events/publish-events.ts';
import { auditEntry } from '../domain/foundation/audit.ts';
import { invalid, notFound } from '../domain/foundation/errors.ts';
import { ownerKey } from '../domain/foundation/owner.ts';
import { pageToBody } from '../domain/foundation/page.ts';
import { type EventArchive, eventToPublished, eventToView } from '../domain/history/event-view.ts';
import { type DeliveriesOfEvent, deliveriesOfEvent } from '../domain/history/read-deliveries.ts';
import { type ReplayDependencies, replayEvent } from '../domain/redelivery/replay-event.ts';
import { type Route, route } from '../runtime/operation.ts';

/** The calls about events. */
export const eventRoutes = (
  store: EventStore & EventArchive,
  rules: PublishRules,
  deliveries: DeliveriesOfEvent & Omit<ReplayDependencies, 'store'>,
): Route[] => [
  route(operations.publishEvents, async (request) => {
    const owner = ownerKey(request.owner);
    const { events, isRepeat } = await publishEvents({ ...request, owner }, { store, rules });
    const published = events.map(eventToPublished);
    return {
      status: 202,
      body: 'events' in request.body ? { data: published } : published[0],
      headers: isRepeat ? { 'idempotency-replayed': 'true' } : {},
    };
  }),

  route(operations.listEvents, async ({ owner, query: { limit, cursor, ...filter }, nowMs }) => {
    // Derived ids do not tell their time, so that the cursor must.
    if (cursor?.at === '') throw invalid('cursor', 'invalid', 'is not a cursor of this list');
    const page = await store.list(ownerKey(owner), filter, { limit, after: cursor ?? null, nowMs });
    return { status: 200, body: pageToBody(page, eventToView) };
  }),

  route(operations.getEvent, async ({ owner, params, nowMs }) => {
    const event = await store.get(ownerKey(owner), params.id ?? '', nowMs);
    if (!event) throw notFound('event');
    const sent = await deliveriesOfEvent(event, nowMs, deliveries);
    return { status: 200, body: { ...eventToView(event), deliveries: sent } };
  }),

  route(operations.replayEvent, async ({ owner, params, body, ...request }) => {
    const id = params.id ?? '';
    const which = { ...request, owner: ownerKey(owner), id, path: `/events/${id}/replay`, webhookId: body.webhook_id };
    const { answer, isRepeat } = await replayEvent(which, { ...deliveries, store });
    return { status: 202, body: answer, headers: isRepeat ? { 'idempotency-replayed': 'true' } : {} };
  }),

  route(operations.deletePayload, async ({ owner, params, by, nowMs }) => {
    const id = params.id ?? '';
    const entry = auditEntry(by, 'event.payload_deleted', id, nowMs);
    if (await store.deletePayload(ownerKey(owner), id, entry, nowMs)) return { status: 204 };
    throw notFound('event');
  }),
];
