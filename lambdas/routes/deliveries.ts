import * as operations from '../contract/deliveries.ts';
import { getWebhookStats } from '../contract/stats.ts';
import { ownerKey } from '../domain/foundation/owner.ts';
import { pageToBody } from '../domain/foundation/page.ts';
import {
  type DeliveriesOfWebhook,
  listDeliveries,
  type OneDelivery,
  readDelivery,
} from '../domain/history/read-deliveries.ts';
import { type StatsDependencies, webhookStats } from '../domain/history/webhook-stats.ts';
import { type RecoverDependencies, recoverDeliveries } from '../domain/redelivery/recover-deliveries.ts';
import { type RetryDependencies, retryDelivery } from '../domain/redelivery/retry-delivery.ts';
import { type TestDependencies, testWebhook } from '../domain/redelivery/test-webhook.ts';
import { type Route, route } from '../runtime/operation.ts';

/** The calls about deliveries. */
export const deliveryRoutes = (
  dependencies: DeliveriesOfWebhook &
    OneDelivery &
    RetryDependencies &
    TestDependencies &
    RecoverDependencies &
    StatsDependencies,
): Route[] => [
  route(operations.listDeliveries, async ({ owner, params, query: { limit, cursor, ...filter }, nowMs }) => {
    const which = { owner: ownerKey(owner), webhookId: params.id ?? '', filter };
    const page = await listDeliveries({ ...which, limit, after: cursor ?? null, nowMs }, dependencies);
    return { status: 200, body: pageToBody(page, (delivery) => delivery) };
  }),

  route(getWebhookStats, async ({ owner, params, query: { since, until }, nowMs }) => {
    const which = { owner: ownerKey(owner), id: params.id ?? '', since, until, nowMs };
    return { status: 200, body: await webhookStats(which, dependencies) };
  }),

  route(operations.getDelivery, async ({ owner, params, nowMs }) => {
    const which = { owner: ownerKey(owner), id: params.id ?? '', nowMs };
    return { status: 200, body: await readDelivery(which, dependencies) };
  }),

  route(operations.retryDelivery, async ({ owner, params, ...request }) => {
    const id = params.id ?? '';
    const which = { ...request, owner: ownerKey(owner), id, path: `/deliveries/${id}/retry` };
    const { answer, isRepeat } = await retryDelivery(which, dependencies);
    return { status: 202, body: answer, headers: isRepeat ? { 'idempotency-replayed': 'true' } : {} };
  }),

  route(operations.testWebhook, async ({ owner, params, body, ...request }) => {
    const id = params.id ?? '';
    const which = { ...request, owner: ownerKey(owner), id, path: `/webhooks/${id}/test`, type: body.type };
    const { answer, isRepeat } = await testWebhook(which, dependencies);
    return { status: 202, body: answer, headers: isRepeat ? { 'idempotency-replayed': 'true' } : {} };
  }),

  route(operations.recoverDeliveries, async ({ owner, params, body, ...request }) => {
    const id = params.id ?? '';
    const which = { ...request, owner: ownerKey(owner), id, path: `/webhooks/${id}/recover`, recovery: body };
    const { answer, isRepeat } = await recoverDeliveries(which, dependencies);
    const headers = isRepeat ? { 'idempotency-replayed': 'true' } : {};
    if (!('id' in answer)) return { status: 200, body: answer, headers };
    return { status: 202, body: answer, headers: { ...headers, location: `/api/public/v1/jobs/${answer.id}` } };
  }),
];
