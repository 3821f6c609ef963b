import * as operations from '../contract/webhooks.ts';
import { notFound } from '../domain/foundation/errors.ts';
import { type Page, type Position, pageToBody } from '../domain/foundation/page.ts';
import { changeWebhook, partialChangeFaults } from '../domain/webhooks/change-webhook.ts';
import {
  createWebhook,
  type NewWebhookStore,
  newWebhookFaults,
  type ProvideSigningKey,
  type Seal,
} from '../domain/webhooks/create-webhook.ts';
import { deleteWebhook } from '../domain/webhooks/delete-webhook.ts';
import { type RotationStore, rotateSecret } from '../domain/webhooks/rotate-secret.ts';
import type { WebhookRules } from '../domain/webhooks/validate-webhook.ts';
import type { StoredWebhook } from '../domain/webhooks/webhook.ts';
import { webhookToView } from '../domain/webhooks/webhook-view.ts';
import { type Route, replayHeaders, route } from '../runtime/operation.ts';

export interface Webhooks extends NewWebhookStore, RotationStore {
  list(
    owner: string,
    limit: number,
    after: Position | null,
    only: { readonly customer: string | null },
  ): Promise<Page<StoredWebhook>>;
}

/** Returns the routes of the calls about webhooks. */
export const webhookRoutes = (
  store: Webhooks,
  rules: WebhookRules,
  seal: Seal,
  provideSigningKey: ProvideSigningKey,
): Route[] => [
  route(
    operations.createWebhook,
    async (request) => {
      const { answer, secret } = await createWebhook(request, { store, rules, seal, provideSigningKey });
      const location = `${operations.createWebhook.path}/${answer.id}`;
      const body = secret === null ? answer : { ...answer, secret };
      return { status: 201, body, headers: { location, ...replayHeaders(secret === null) } };
    },
    (request) => newWebhookFaults(request, request.body, rules),
  ),

  route(operations.listWebhooks, async ({ owner, customer, query, cursorScope }) => {
    const page = await store.list(owner, query.limit, query.cursor ?? null, { customer });
    return { status: 200, body: pageToBody(page, webhookToView, cursorScope) };
  }),

  route(operations.getWebhook, async ({ owner, id }) => {
    const webhook = await store.find(owner, id);
    if (!webhook) throw notFound('webhook');
    return { status: 200, body: webhookToView(webhook) };
  }),

  route(
    operations.changeWebhook,
    async ({ owner, id, body: changes, by, requestId, traceId, nowMs }) => {
      const call = { request_id: requestId, trace_id: traceId };
      const webhook = await changeWebhook(
        { owner, id, changes, by, call, nowMs },
        { store, rules, seal, provideSigningKey },
      );
      return { status: 200, body: webhookToView(webhook) };
    },
    (request) => partialChangeFaults(request, request.body, { store, rules }),
  ),

  route(operations.deleteWebhook, async ({ owner, id, by, nowMs }) => {
    await deleteWebhook({ owner, id, by, nowMs }, { store, rules });
    return { status: 204 };
  }),

  route(operations.rotateSecret, async (request) => {
    const { answer, secret } = await rotateSecret(request, { store, rules, seal });
    const body = secret === null ? answer : { secret, ...answer };
    return { status: 200, body, headers: replayHeaders(secret === null) };
  }),
];
