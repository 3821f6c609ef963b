import { randomBytes } from 'node:crypto';
import * as operations from '../contract/passcreator.ts';
import { invalid, PassPostError } from '../domain/foundation/errors.ts';
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

/** Passcreator's name of each field, by the native API's name. */
const names: Readonly<Record<string, string>> = {
  url: 'target_url',
  'events.0': 'event',
  'profile_options.subscription_url': 'subscription_url',
};

const withPasscreatorNames = (error: unknown): unknown => {
  if (!(error instanceof PassPostError)) return error;
  const errors = error.errors.map((field) => ({ ...field, path: names[field.path] ?? field.path }));
  return new PassPostError(error.code, error.message, { errors, headers: error.headers, cause: error });
};

const subscriptionUrlOf = ({ profile_options }: StoredWebhook): string | null =>
  typeof profile_options.subscription_url === 'string' ? profile_options.subscription_url : null;

type Submission<O extends Operation> = Pick<ApiRequest<O>, 'owner' | 'query' | 'body' | 'by' | 'nowMs'>;

/**
 * Returns the routes of Passcreator's own calls. Each call does what the native API does, with webhooks of the
 * `passcreator` profile.
 */
export const passcreatorRoutes = (dependencies: PasscreatorDependencies): Route[] => {
  const { store, publicKeys } = dependencies;

  const performSubscribe = async (
    { owner, body, query, by, nowMs }: Submission<typeof operations.subscribeToAll>,
    template: string | null,
  ): Promise<ApiResponse> => {
    // Passcreator's subscriptions name one event, so `*` is not accepted.
    if (body.event === EVERYTHING) throw invalid('event', 'unknown_event_type', 'is no type of event');
    const accessToken = query.generateAccessToken === 'true' ? randomBytes(32).toString('base64url') : null;
    const subscription = {
      url: body.target_url,
      event: body.event,
      template,
      subscriptionUrl: body.subscription_url,
      isRetried: body.retryEnabled,
      isSigned: body.signPayload,
      accessToken,
    };
    try {
      await subscribe({ owner, subscription, by, nowMs }, dependencies);
    } catch (error) {
      throw withPasscreatorNames(error);
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
    await unsubscribe({ owner, url, by, nowMs }, dependencies);
    return { status: 200, body: {} };
  };

  return [
    route(operations.subscribeToAll, (request) => performSubscribe(request, null)),
    route(operations.subscribeToTemplate, (request) => performSubscribe(request, request.template)),
    route(operations.unsubscribeByPost, performUnsubscribe),
    route(operations.unsubscribeByDelete, performUnsubscribe),

    route(operations.listPasscreatorHooks, async ({ owner }) => {
      const subscriptions = await listSubscriptions(owner, store);
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
