import { randomBytes } from 'node:crypto';
import * as operations from '../contract/passcreator.ts';
import { invalid, PassPostError } from '../domain/foundation/errors.ts';
import { provideSigningKey, type SigningKeyDependencies } from '../domain/keyring/provide-signing-key.ts';
import { cacheSeconds, signerAt, toPem } from '../domain/keyring/signing-keys.ts';
import {
  listSubscriptions,
  type SubscriptionDependencies,
  subscribe,
  unsubscribe,
} from '../domain/webhooks/passcreator-subscription.ts';
import type { StoredWebhook } from '../domain/webhooks/webhook.ts';
import { EVERYTHING } from '../domain/webhooks/webhook.ts';
import { type ApiRequest, type ApiResponse, type Operation, type Route, route } from '../runtime/operation.ts';

export interface PasscreatorDependencies extends Omit<SubscriptionDependencies, 'provideSigningKey'> {
  readonly signingKeys: SigningKeyDependencies;
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
  const { store, signingKeys } = dependencies;
  const subscriptions: SubscriptionDependencies = {
    ...dependencies,
    provideSigningKey: (owner, alg, nowMs) => provideSigningKey(owner, alg, signingKeys, nowMs),
  };

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
      await subscribe({ owner, subscription, by, nowMs }, subscriptions);
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
    await unsubscribe({ owner, url, by, nowMs }, subscriptions);
    return { status: 200, body: {} };
  };

  return [
    route(operations.subscribeToAll, (request) => performSubscribe(request, null)),
    route(operations.subscribeToTemplate, (request) => performSubscribe(request, request.template)),
    route(operations.unsubscribeByPost, performUnsubscribe),
    route(operations.unsubscribeByDelete, performUnsubscribe),

    route(operations.listPasscreatorHooks, async ({ owner }) => {
      const webhooks = await listSubscriptions(owner, store);
      const body = webhooks.flatMap((webhook) =>
        webhook.events.map((event) => ({
          subscription_url: subscriptionUrlOf(webhook),
          target_url: webhook.url,
          event,
          pass_template: webhook.resource,
        })),
      );
      return { status: 200, body };
    }),

    route(operations.getPasscreatorKey, async ({ owner, nowMs }) => {
      const stored = await provideSigningKey(owner, 'ES256', signingKeys, nowMs);
      const key = signerAt(stored.keys, nowMs);
      return {
        status: 200,
        body: { publicKey: key ? toPem(key) : '' },
        headers: { 'cache-control': `private, max-age=${cacheSeconds([stored], nowMs)}` },
      };
    }),
  ];
};
