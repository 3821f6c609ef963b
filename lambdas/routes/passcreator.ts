import { randomBytes } from 'node:crypto';
import * as operations from '../contract/passcreator.ts';
import { invalid, PassPostError } from '../domain/foundation/errors.ts';
import { ownerKey } from '../domain/foundation/owner.ts';
import type { PublicKeys } from '../domain/keyring/keyring.ts';
import { cacheSeconds, publicKeyPem } from '../domain/keyring/published-keys.ts';
import {
  listSubscriptions,
  type SubscriptionDependencies,
  subscribe,
  unsubscribe,
} from '../domain/webhooks/passcreator-subscription.ts';
import type { StoredWebhook } from '../domain/webhooks/webhook.ts';
import { EVERYTHING } from '../domain/webhooks/webhook.ts';
import { type ApiRequest, type ApiResponse, type Operation, type Route, route } from '../runtime/operation.ts';

export interface PasscreatorDependencies extends SubscriptionDependencies {
  readonly publicKeys: () => Promise<PublicKeys>;
}

/** What the native API calls a field, and what it is called here. */
const names: Readonly<Record<string, string>> = {
  url: 'target_url',
  'events.0': 'event',
  'profile_options.subscription_url': 'subscription_url',
};

const inTheirWords = (error: unknown): unknown => {
  if (!(error instanceof PassPostError)) return error;
  const errors = error.errors.map((field) => ({ ...field, path: names[field.path] ?? field.path }));
  return new PassPostError(error.code, error.message, { errors, headers: error.headers, cause: error });
};

const subscriptionUrlOf = ({ profile_options }: StoredWebhook): string | null =>
  typeof profile_options.subscription_url === 'string' ? profile_options.subscription_url : null;

type Submission<O extends Operation> = Pick<ApiRequest<O>, 'owner' | 'params' | 'query' | 'body' | 'by' | 'nowMs'>;

/** Passcreator's calls: its words for what the native API does with webhooks of its profile. */
export const passcreatorRoutes = (dependencies: PasscreatorDependencies): Route[] => {
  const { store, publicKeys } = dependencies;

  const performSubscribe = async ({
    owner,
    body,
    query,
    params,
    by,
    nowMs,
  }: Submission<typeof operations.subscribeToAll>): Promise<ApiResponse> => {
    // `*` is no event here: their subscriptions name one.
    if (body.event === EVERYTHING) throw invalid('event', 'unknown_event_type', 'is no type of event');
    const accessToken = query.generateAccessToken === 'true' ? randomBytes(32).toString('base64url') : null;
    const subscription = {
      url: body.target_url,
      event: body.event,
      template: params.template ?? null,
      subscriptionUrl: body.subscription_url,
      isRetried: body.retryEnabled,
      isSigned: body.signPayload,
      accessToken,
    };
    try {
      await subscribe({ owner: ownerKey(owner), subscription, by, nowMs }, dependencies);
    } catch (error) {
      throw inTheirWords(error);
    }
    return { status: 201, body: accessToken === null ? {} : { accessToken } };
  };

  const performUnsubscribe = async ({
    owner,
    body,
    query,
    by,
    nowMs,
  }: Submission<typeof operations.unsubscribeByPost>): Promise<ApiResponse> => {
    const url = body.target_url || query.target_url;
    if (!url) throw invalid('target_url', 'required', 'Required.');
    await unsubscribe({ owner: ownerKey(owner), url, by, nowMs }, dependencies);
    return { status: 200, body: {} };
  };

  return [
    route(operations.subscribeToAll, performSubscribe),
    route(operations.subscribeToTemplate, performSubscribe),
    route(operations.unsubscribeByPost, performUnsubscribe),
    route(operations.unsubscribeByDelete, performUnsubscribe),

    route(operations.listPasscreatorHooks, async ({ owner }) => {
      const subscriptions = await listSubscriptions(ownerKey(owner), store);
      const body = subscriptions.flatMap((webhook) =>
        webhook.events.map((event) => ({
          subscription_url: subscriptionUrlOf(webhook),
          target_url: webhook.url,
          event,
          pass_template: webhook.resource,
        })),
      );
      return { status: 200, body };
    }),

    route(operations.getPasscreatorKey, async ({ nowMs }) => {
      const keys = await publicKeys();
      return {
        status: 200,
        body: { publicKey: publicKeyPem(keys, 'ES256', nowMs) },
        headers: { 'cache-control': `private, max-age=${cacheSeconds(keys, nowMs)}` },
      };
    }),
  ];
};
