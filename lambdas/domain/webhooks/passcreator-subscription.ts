import type { Actor } from '../foundation/audit.ts';
import { notFound, PassPostError } from '../foundation/errors.ts';
import { changeWebhook } from './change-webhook.ts';
import { createWebhook, type NewWebhookStore, type ProvideSigningKey, type Seal } from './create-webhook.ts';
import { deleteWebhook } from './delete-webhook.ts';
import { concurrentChange, MAX_TRIES, type WebhookStore } from './update-loop.ts';
import type { WebhookRules } from './validate-webhook.ts';
import type { StoredWebhook } from './webhook.ts';
import { newWebhookSchema } from './webhook-input.ts';
import { isPlainHttp, withEncodedPath } from './webhook-url.ts';

// A Passcreator subscription is a webhook that is identified by event, URL and template (one or all), not by an id.

const PROFILE = 'passcreator';

export interface Subscription {
  readonly url: string;
  readonly event: string;
  /**
   * The template to whose events the subscription is limited. `null` = the subscription gets the events of all
   * templates.
   */
  readonly template: string | null;
  readonly subscriptionUrl: string | null;
  readonly isRetried: boolean;
  readonly isSigned: boolean;
  /**
   * The bearer token to send with every delivery. `null` = no new token: an existing subscription keeps its token, and
   * a new subscription has none.
   */
  readonly accessToken: string | null;
}

export interface SubscriptionStore extends NewWebhookStore, WebhookStore {
  listAny(owner: string): Promise<readonly StoredWebhook[]>;
}

export interface SubscriptionDependencies {
  readonly store: SubscriptionStore;
  readonly templates: { find(owner: string, id: string): Promise<unknown> };
  readonly rules: WebhookRules;
  readonly seal: Seal;
  readonly provideSigningKey: ProvideSigningKey;
}

/** Returns the account's Passcreator subscriptions, oldest first. */
export const listSubscriptions = async (
  owner: string,
  { listAny }: Pick<SubscriptionStore, 'listAny'>,
): Promise<readonly StoredWebhook[]> =>
  (await listAny(owner))
    .filter(({ profile, deleted_at }) => profile === PROFILE && deleted_at === null)
    .toSorted((a, b) => (a.id < b.id ? -1 : 1));

const settingsOf = (subscription: Subscription) => ({
  enabled: true,
  profile_options: { signPayload: subscription.isSigned, subscription_url: subscription.subscriptionUrl },
  schedule: subscription.isRetried ? null : [],
  ...(isPlainHttp(subscription.url) ? { allow_http: true } : {}),
  ...(subscription.accessToken === null ? {} : { headers: { authorization: `Bearer ${subscription.accessToken}` } }),
});

/**
 * Waits for the promise of a webhook's change. Returns true if the change succeeded, and false if it failed because a
 * concurrent request deleted the webhook. Throws every other error.
 */
const isDone = async (change: Promise<unknown>): Promise<boolean> => {
  try {
    await change;
    return true;
  } catch (error) {
    if (error instanceof PassPostError && error.code === 'not_found') return false;
    throw error;
  }
};

/** A request that changes an account's subscriptions: the owner, the API caller and the time of the request. */
interface SubscriptionRequest {
  readonly owner: string;
  readonly by: Actor;
  readonly nowMs: number;
}

/**
 * Creates a subscription, or updates the existing one. If concurrent requests create several, only the oldest stays.
 * Throws `not_found` for an unknown template, `invalid` or `conflict`.
 */
export const subscribe = async (
  { owner, subscription, by, nowMs }: SubscriptionRequest & { readonly subscription: Subscription },
  dependencies: SubscriptionDependencies,
): Promise<void> => {
  const { store, templates } = dependencies;
  const { event, template } = subscription;
  const url = withEncodedPath(subscription.url);
  if (template !== null && !(await templates.find(owner, template))) throw notFound('template');
  const isSame = (webhook: StoredWebhook): boolean =>
    webhook.url === url && webhook.resource === template && webhook.events.join() === event;
  const find = async () => (await listSubscriptions(owner, store)).filter(isSame);
  const changes = settingsOf(subscription);

  let createdId: string | null = null;
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    const [oldest, ...duplicates] = await find();
    if (
      oldest &&
      (oldest.id === createdId ||
        (await isDone(changeWebhook({ owner, id: oldest.id, changes, by, nowMs }, dependencies))))
    ) {
      for (const { id } of duplicates) await isDone(deleteWebhook({ owner, id, by, nowMs }, dependencies));
      return;
    }
    if (oldest) continue;
    const body = newWebhookSchema.parse({ url, events: [event], resource: template, profile: PROFILE, ...changes });
    const request = { owner, customer: null, body, by, idempotencyKey: null, contentHash: '', nowMs };
    createdId = (await createWebhook(request, dependencies)).answer.id;
  }
  throw concurrentChange();
};

/** Deletes every subscription of the account with this URL. Does nothing if the account has none. */
export const unsubscribe = async (
  { owner, url: written, by, nowMs }: SubscriptionRequest & { readonly url: string },
  dependencies: SubscriptionDependencies,
): Promise<void> => {
  const url = withEncodedPath(written);
  const all = await listSubscriptions(owner, dependencies.store);
  // The deletions run one after the other, because each changes the account's webhook counter.
  for (const { id } of all.filter((webhook) => webhook.url === url)) {
    await isDone(deleteWebhook({ owner, id, by, nowMs }, dependencies));
  }
};
