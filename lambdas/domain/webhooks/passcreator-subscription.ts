import type { Actor } from '../foundation/audit.ts';
import { notFound, PassPostError } from '../foundation/errors.ts';
import { changeWebhook } from './change-webhook.ts';
import { createWebhook, type NewWebhookStore, type Seal } from './create-webhook.ts';
import { deleteWebhook } from './delete-webhook.ts';
import { concurrentChange, MAX_TRIES, type WebhookStore } from './update-loop.ts';
import type { WebhookRules } from './validate-webhook.ts';
import type { StoredWebhook } from './webhook.ts';
import { newWebhookSchema } from './webhook-input.ts';
import { isPlainHttp } from './webhook-url.ts';

// A subscription is a webhook that is known by what it is for, not by an id: one event, at one URL, of one template or of all.

const PROFILE = 'passcreator';

export interface Subscription {
  readonly url: string;
  readonly event: string;
  /** The template it is tied to, or null for all. */
  readonly template: string | null;
  readonly subscriptionUrl: string | null;
  readonly isRetried: boolean;
  readonly isSigned: boolean;
  /** Sent along as a bearer token. `null` leaves one that was there before. */
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
}

/** The account's subscriptions, the oldest first. */
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

/** Somebody else may have removed it meanwhile; answers whether it was still there. */
const isDone = async (work: Promise<unknown>): Promise<boolean> => {
  try {
    await work;
    return true;
  } catch (error) {
    if (error instanceof PassPostError && error.code === 'not_found') return false;
    throw error;
  }
};

/** Whose subscriptions, and who asks. */
interface Submission {
  readonly owner: string;
  readonly by: Actor;
  readonly nowMs: number;
}

/** Makes a subscription, or gives the one that is there these settings. Of several made at the same moment the oldest stays. */
export const subscribe = async (
  { owner, subscription, by, nowMs }: Submission & { readonly subscription: Subscription },
  dependencies: SubscriptionDependencies,
): Promise<void> => {
  const { store, templates } = dependencies;
  const { url, event, template } = subscription;
  if (template !== null && !(await templates.find(owner, template))) throw notFound('template');
  const isSame = (webhook: StoredWebhook): boolean =>
    webhook.url === url && webhook.resource === template && webhook.events.join() === event;
  const find = async () => (await listSubscriptions(owner, store)).filter(isSame);
  const changes = settingsOf(subscription);

  let made: string | null = null;
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    const [kept, ...doubles] = await find();
    if (
      kept &&
      (kept.id === made || (await isDone(changeWebhook({ owner, id: kept.id, changes, by, nowMs }, dependencies))))
    ) {
      for (const { id } of doubles) await isDone(deleteWebhook({ owner, id, by, nowMs }, dependencies));
      return;
    }
    if (kept) continue;
    const body = newWebhookSchema.parse({ url, events: [event], resource: template, profile: PROFILE, ...changes });
    const request = { owner, body, by, idempotencyKey: null, contentHash: '', nowMs };
    made = (await createWebhook(request, dependencies)).answer.id;
  }
  throw concurrentChange();
};

/** Removes every subscription of the account with that URL; none is no fault. */
export const unsubscribe = async (
  { owner, url, by, nowMs }: Submission & { readonly url: string },
  dependencies: SubscriptionDependencies,
): Promise<void> => {
  const all = await listSubscriptions(owner, dependencies.store);
  // One after the other: each changes the account's count of webhooks.
  for (const { id } of all.filter((webhook) => webhook.url === url)) {
    await isDone(deleteWebhook({ owner, id, by, nowMs }, dependencies));
  }
};
