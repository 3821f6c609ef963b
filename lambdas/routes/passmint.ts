import * as operations from '../contract/passmint.ts';
import { isWaiting, type StoredDelivery } from '../domain/deliveries/delivery.ts';
import { notFound } from '../domain/foundation/errors.ts';
import { timeOfId } from '../domain/foundation/id.ts';
import { type Page, type Position, pageToBody } from '../domain/foundation/page.ts';
import { type DeliveriesOfWebhook, findDeliveries } from '../domain/history/read-deliveries.ts';
import { changeWebhook, partialChangeFaults } from '../domain/webhooks/change-webhook.ts';
import { createWebhook, type NewWebhookStore, newWebhookFaults, type Seal } from '../domain/webhooks/create-webhook.ts';
import { deleteWebhook } from '../domain/webhooks/delete-webhook.ts';
import { type RotationStore, rotateSecret } from '../domain/webhooks/rotate-secret.ts';
import type { WebhookRules } from '../domain/webhooks/validate-webhook.ts';
import type { StoredWebhook } from '../domain/webhooks/webhook.ts';
import { newWebhookSchema } from '../domain/webhooks/webhook-input.ts';
import { isPlainHttp } from '../domain/webhooks/webhook-url.ts';
import { type Route, replayHeaders, route } from '../runtime/operation.ts';

const PROFILE = 'passmint';

export interface PassmintWebhooks extends NewWebhookStore, RotationStore {
  findAny(owner: string, id: string): Promise<StoredWebhook | null>;
  list(
    owner: string,
    limit: number,
    after: Position | null,
    only: { readonly profile: string },
  ): Promise<Page<StoredWebhook>>;
}

export interface PassmintDependencies {
  readonly webhooks: PassmintWebhooks;
  readonly deliveries: Pick<DeliveriesOfWebhook, 'history' | 'events'>;
  readonly rules: WebhookRules;
  readonly seal: Seal;
}

type Shown = Pick<StoredWebhook, Exclude<keyof operations.PassmintWebhook, 'secret'>>;

const showWebhook = (webhook: Shown): operations.PassmintWebhook => ({
  id: webhook.id,
  url: webhook.url,
  events: [...webhook.events],
  description: webhook.description,
  enabled: webhook.enabled,
  created_at: webhook.created_at,
  updated_at: webhook.updated_at,
});

/**
 * Returns the status of a delivery in PassMint's terms, which know four statuses. A held delivery is `pending` before
 * its first attempt and `failed` after it; a cancelled one is `dead`.
 */
const statusOf = ({ status, attempts_made }: StoredDelivery): operations.PassmintDelivery['status'] => {
  if (status === 'held') return attempts_made === 0 ? 'pending' : 'failed';
  return status === 'cancelled' ? 'dead' : status;
};

const toTime = (timeMs: number): string => new Date(timeMs).toISOString();

const showDelivery = (delivery: StoredDelivery): operations.PassmintDelivery => {
  const { id, event_type, last, due_at, attempts_made } = delivery;
  return {
    id,
    type: event_type,
    status: statusOf(delivery),
    http_status: last?.http_status ?? null,
    response_body: last?.response_body ?? null,
    created_at: toTime(timeOfId(id)),
    attempted_at: last && toTime(last.started_at),
    next_attempt_at: isWaiting(delivery) ? toTime(due_at) : null,
    attempts: attempts_made,
  };
};

const ofThisProfile = (webhook: StoredWebhook | null): StoredWebhook | null =>
  webhook?.profile === PROFILE ? webhook : null;

/**
 * Returns the key under which PassMint's calls store their first answers. Keys of the native API are stored by path,
 * without `/v1`; no client can send this key, because an Idempotency-Key holds no space.
 */
const passmintKey = (idempotencyKey: string | null): string | null => idempotencyKey && `/v1 ${idempotencyKey}`;

/** Returns a change that also allows plain http if the new URL has it, because PassMint knows no `allow_http`. */
const withAllowHttp = <T extends { readonly url?: string | undefined }>(changes: T) => ({
  ...changes,
  ...(changes.url !== undefined && isPlainHttp(changes.url) ? { allow_http: true } : {}),
});

/**
 * Returns the routes of PassMint's own calls. Each call does what the native API does, with webhooks of the `passmint`
 * profile only.
 */
export const passmintRoutes = ({ webhooks, deliveries, rules, seal }: PassmintDependencies): Route[] => {
  const store: PassmintWebhooks = {
    ...webhooks,
    find: async (owner, id) => ofThisProfile(await webhooks.find(owner, id)),
    findAny: async (owner, id) => ofThisProfile(await webhooks.findAny(owner, id)),
  };

  return [
    route(
      operations.createPassmintWebhook,
      async (request) => {
        const newWebhook = newWebhookSchema.parse({
          ...request.body,
          profile: PROFILE,
          allow_http: isPlainHttp(request.body.url),
        });
        const idempotencyKey = passmintKey(request.idempotencyKey);
        const { answer, secret } = await createWebhook(
          { ...request, body: newWebhook, idempotencyKey },
          { store, rules, seal },
        );
        const location = `${operations.createPassmintWebhook.path}/${answer.id}`;
        const shown = showWebhook(answer);
        const body = secret === null ? shown : { ...shown, secret };
        return { status: 201, body, headers: { location, ...replayHeaders(secret === null) } };
      },
      ({ owner, customer, body }) =>
        newWebhookFaults(
          { owner, customer },
          { ...body, profile: PROFILE, allow_http: isPlainHttp(body.url ?? '') },
          rules,
        ),
    ),

    route(operations.listPassmintWebhooks, async ({ owner, query, cursorScope }) => {
      const page = await store.list(owner, query.limit, query.cursor ?? null, { profile: PROFILE });
      return { status: 200, body: pageToBody(page, showWebhook, cursorScope) };
    }),

    route(operations.getPassmintWebhook, async ({ owner, id }) => {
      const webhook = await store.find(owner, id);
      if (!webhook) throw notFound('webhook');
      return { status: 200, body: showWebhook(webhook) };
    }),

    route(
      operations.changePassmintWebhook,
      async ({ owner, id, body, by, requestId, traceId, nowMs }) => {
        const call = { request_id: requestId, trace_id: traceId };
        const changes = withAllowHttp(body);
        const webhook = await changeWebhook({ owner, id, changes, by, call, nowMs }, { store, rules, seal });
        return { status: 200, body: showWebhook(webhook) };
      },
      (request) => partialChangeFaults(request, withAllowHttp(request.body), { store, rules }),
    ),

    route(operations.deletePassmintWebhook, async ({ owner, id, by, nowMs }) => {
      await deleteWebhook({ owner, id, withHistory: true, by, nowMs }, { store, rules });
      return { status: 204 };
    }),

    route(operations.listPassmintDeliveries, async ({ owner, id, query, cursorScope, nowMs }) => {
      const request = { owner, webhookId: id, filter: {}, limit: query.limit, after: query.cursor ?? null, nowMs };
      const page = await findDeliveries(request, { ...deliveries, webhooks: store });
      return { status: 200, body: pageToBody(page, showDelivery, cursorScope) };
    }),

    route(operations.rotatePassmintSecret, async (request) => {
      const idempotencyKey = passmintKey(request.idempotencyKey);
      const { answer, secret } = await rotateSecret({ ...request, idempotencyKey }, { store, rules, seal });
      const body = secret === null ? answer : { secret, ...answer };
      return { status: 200, body, headers: replayHeaders(secret === null) };
    }),
  ];
};
