import * as operations from '../contract/events.ts';
import type { StoredAccount } from '../domain/accounts/account.ts';
import { eventFaults, eventsToCheck, type PublishRules } from '../domain/events/check-events.ts';
import { type EventStore, publishEvents } from '../domain/events/publish-events.ts';
import { auditEntry } from '../domain/foundation/audit.ts';
import { invalid, notFound } from '../domain/foundation/errors.ts';
import { ownerKey } from '../domain/foundation/owner.ts';
import { pageToBody } from '../domain/foundation/page.ts';
import { type EventArchive, eventToPublished, eventToView } from '../domain/history/event-view.ts';
import { type DeliveriesOfEvent, deliveriesOfEvent } from '../domain/history/read-deliveries.ts';
import { type ReplayDependencies, replayEvent } from '../domain/redelivery/replay-event.ts';
import { type ApiRequest, type Route, replayHeaders, route } from '../runtime/operation.ts';

/** Finds the accounts for which an operator publishes. */
export interface PublishingAccounts {
  find(id: string): Promise<Pick<StoredAccount, 'id' | 'retention_days'> | null>;
}

type PublishCall = ApiRequest<typeof operations.publishEvents>;

/**
 * Returns the request of an operator as a request of the account that it names, in the mode live, and the request of an
 * account as it is. Throws `invalid` without an account, for an unknown account, and if an account names another one.
 */
const asPublisher = async (request: PublishCall, accounts: PublishingAccounts): Promise<PublishCall> => {
  const { caller, query, accountId } = request;
  if (caller.accountId !== null) {
    if (query.account === undefined || query.account === accountId) return request;
    throw invalid('account', 'forbidden', 'is another account, for which only an operator publishes');
  }
  if (query.account === undefined) throw invalid('account', 'required', 'is required of an operator');
  const account = await accounts.find(query.account);
  if (!account) throw invalid('account', 'unknown_account', 'is not the id of an account of this deployment');
  const owner = ownerKey({ accountId: account.id, mode: 'live' });
  return { ...request, accountId: account.id, owner, retentionDays: account.retention_days };
};

/** Returns the routes of the calls about events. */
export const eventRoutes = (
  store: EventStore & EventArchive,
  rules: PublishRules,
  accounts: PublishingAccounts,
  deliveries: DeliveriesOfEvent & Omit<ReplayDependencies, 'store'>,
): Route[] => [
  route(
    operations.publishEvents,
    async (request) => {
      const { events, isRepeat } = await publishEvents(await asPublisher(request, accounts), { store, rules });
      const published = events.map(eventToPublished);
      return {
        status: 202,
        body: 'events' in request.body ? { data: published } : published[0],
        headers: replayHeaders(isRepeat),
      };
    },
    ({ owner, caller, query: { account }, content }) => {
      const isForAccount = caller.accountId === null && account !== undefined;
      const publisher = isForAccount ? ownerKey({ accountId: account, mode: 'live' }) : owner;
      return eventFaults(publisher, eventsToCheck(content), rules);
    },
  ),

  route(operations.listEvents, async ({ owner, customer, query: { limit, cursor, ...filter }, cursorScope, nowMs }) => {
    // Refuses a cursor without a time. Events are listed by time, and an event id that is derived (for example from an
    // Idempotency-Key) contains no time, so the cursor itself must contain the time.
    if (cursor?.at === '') throw invalid('cursor', 'invalid', 'is not a cursor of this list');
    const page = await store.list(owner, { ...filter, customer }, { limit, after: cursor ?? null, nowMs });
    return { status: 200, body: pageToBody(page, eventToView, cursorScope) };
  }),

  route(operations.getEvent, async ({ owner, customer, id, nowMs }) => {
    const event = await store.get(owner, id, nowMs);
    if (!event) throw notFound('event');
    const views = await deliveriesOfEvent(event, customer, nowMs, deliveries);
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
