import * as operations from '../contract/webhooks.ts';
import { notFound } from '../domain/foundation/errors.ts';
import { ownerKey } from '../domain/foundation/owner.ts';
import { type Page, type Position, pageToBody } from '../domain/foundation/page.ts';
import { changeWebhook } from '../domain/webhooks/change-webhook.ts';
import { createWebhook, type NewWebhookStore, type Seal } from '../domain/webhooks/create-webhook.ts';
import { deleteWebhook } from '../domain/webhooks/delete-webhook.ts';
import { type RotationStore, rotateSecret } from '../domain/webhooks/rotate-secret.ts';
import type { WebhookRules } from '../domain/webhooks/validate-webhook.ts';
import type { StoredWebhook } from '../domain/webhooks/webhook.ts';
import { webhookToView } from '../domain/webhooks/webhook-view.ts';
import { type Route, route } from '../runtime/operation.ts';

export interface Webhooks extends NewWebhookStore, RotationStore {
  list(owner: string, limit: number, after: Position | null): Promise<Page<StoredWebhook>>;
}

/** The calls about webhooks. */
export const webhookRoutes = (store: Webhooks, rules: WebhookRules, seal: Seal): Route[] => [
  route(operations.createWebhook, async (request) => {
    const owner = ownerKey(request.owner);
    const { answer, secret } = await createWebhook({ ...request, owner }, { store, rules, seal });
    const location = `${operations.createWebhook.path}/${answer.id}`;
    return secret === null
      ? { status: 201, body: answer, headers: { location, 'idempotency-replayed': 'true' } }
      : { status: 201, body: { ...answer, secret }, headers: { location } };
  }),

  route(operations.listWebhooks, async ({ owner, query }) => {
    const page = await store.list(ownerKey(owner), query.limit, query.cursor ?? null);
    return { status: 200, body: pageToBody(page, webhookToView) };
  }),

  route(operations.getWebhook, async ({ owner, params }) => {
    const webhook = await store.find(ownerKey(owner), params.id ?? '');
    if (!webhook) throw notFound('webhook');
    return { status: 200, body: webhookToView(webhook) };
  }),

  route(operations.changeWebhook, async ({ owner, params, body: changes, by, requestId, traceId, nowMs }) => {
    const which = { owner: ownerKey(owner), id: params.id ?? '' };
    const call = { request_id: requestId, trace_id: traceId };
    const webhook = await changeWebhook({ ...which, changes, by, call, nowMs }, { store, rules, seal });
    return { status: 200, body: webhookToView(webhook) };
  }),

  route(operations.deleteWebhook, async ({ owner, params, by, nowMs }) => {
    await deleteWebhook({ owner: ownerKey(owner), id: params.id ?? '', by, nowMs }, { store, rules });
    return { status: 204 };
  }),

  route(operations.rotateSecret, async (request) => {
    const which = { owner: ownerKey(request.owner), id: request.params.id ?? '' };
    const { answer, secret } = await rotateSecret({ ...request, ...which }, { store, rules, seal });
    return secret === null
      ? { status: 200, body: answer, headers: { 'idempotency-replayed': 'true' } }
      : { status: 200, body: { secret, ...answer } };
  }),
];
