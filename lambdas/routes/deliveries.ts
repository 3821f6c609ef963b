import * as operations from '../contract/deliveries.ts';
import { getWebhookStats } from '../contract/stats.ts';
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
import { type Route, replayHeaders, route } from '../runtime/operation.ts';

/** Returns the routes of the calls about deliveries. */
export const deliveryRoutes = (
  dependencies: DeliveriesOfWebhook &
    OneDelivery &
    RetryDependencies &
    TestDependencies &
    RecoverDependencies &
    StatsDependencies,
): Route[] => [
  route(operations.listDeliveries, async ({ owner, id, query: { limit, cursor, ...filter }, cursorScope, nowMs }) => {
    const request = { owner, webhookId: id, filter, limit, after: cursor ?? null, nowMs };
    const page = await listDeliveries(request, dependencies);
    return { status: 200, body: pageToBody(page, (delivery) => delivery, cursorScope) };
  }),

  route(getWebhookStats, async ({ owner, id, query: { since, until }, nowMs }) => ({
    status: 200,
    body: await webhookStats({ owner, id, since, until, nowMs }, dependencies),
  })),

  route(operations.getDelivery, async (request) => ({
    status: 200,
    body: await readDelivery(request, dependencies),
  })),

  route(operations.retryDelivery, async (request) => {
    const retry = { ...request, path: `/deliveries/${request.id}/retry` };
    const { answer, isRepeat } = await retryDelivery(retry, dependencies);
    return { status: 202, body: answer, headers: replayHeaders(isRepeat) };
  }),

  route(operations.testWebhook, async (request) => {
    const test = { ...request, path: `/webhooks/${request.id}/test`, type: request.body.type };
    const { answer, isRepeat } = await testWebhook(test, dependencies);
    return { status: 202, body: answer, headers: replayHeaders(isRepeat) };
  }),

  route(operations.recoverDeliveries, async (request) => {
    const recover = { ...request, path: `/webhooks/${request.id}/recover`, recovery: request.body };
    const { answer, isRepeat } = await recoverDeliveries(recover, dependencies);
    const headers = replayHeaders(isRepeat);
    if (!('id' in answer)) return { status: 200, body: answer, headers };
    return { status: 202, body: answer, headers: { ...headers, location: `/api/public/v1/jobs/${answer.id}` } };
  }),
];
