import type { Profile } from '../deliveries/profile.ts';
import { auditEntry } from '../foundation/audit.ts';
import type { RequestOrigin } from '../foundation/origin.ts';
import { type Seal, sealHeaders } from './create-webhook.ts';
import { checkRoutes, webhookRoutes } from './event-routing.ts';
import { concurrentChange, findWebhook, MAX_TRIES, type WebhookRequest, type WebhookStore } from './update-loop.ts';
import { checkSettings, profileNamed, type WebhookRules } from './validate-webhook.ts';
import type { StoredWebhook } from './webhook.ts';
import type { WebhookChanges } from './webhook-input.ts';

/** What of the row a switch on or off changes; one that is switched off already keeps its reason. */
const switched = (before: StoredWebhook, enabled: boolean): Pick<StoredWebhook, 'enabled' | 'disabled_reason'> => ({
  enabled,
  disabled_reason: enabled ? null : before.enabled ? 'manual' : before.disabled_reason,
});

const without = <T extends object>(values: T): { [K in keyof T]: Exclude<T[K], undefined> } =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]: Exclude<T[K], undefined>;
  };

const applied = async (
  before: StoredWebhook,
  changes: WebhookChanges,
  profile: Profile,
  seal: Seal,
  nowMs: number,
): Promise<StoredWebhook> => {
  const { enabled, events, profile_options, basic_auth, headers, ...plain } = changes;
  const sealed = (text: string): Promise<string> => seal(before.owner, before.id, text);
  return {
    ...before,
    ...without(plain),
    ...(enabled === undefined ? {} : switched(before, enabled)),
    ...(events && { events: [...new Set(events)] }),
    ...(profile_options && { profile_options: profile.options.parse(profile_options) as Record<string, unknown> }),
    ...(basic_auth === undefined
      ? {}
      : { basic_auth: basic_auth && { username: basic_auth.username, sealed: await sealed(basic_auth.password) } }),
    ...(headers === undefined ? {} : { headers: await sealHeaders(headers, sealed) }),
    version: before.version + 1,
    updated_at: new Date(nowMs).toISOString(),
  };
};

/** A change is looked at as what it makes of the webhook: `allow_http` may make the address wrong that it had all along. */
const checkChanges = (before: StoredWebhook, changes: WebhookChanges, profile: Profile, rules: WebhookRules) => {
  const isAddressChanged = changes.url !== undefined || changes.allow_http !== undefined;
  const context = {
    owner: before.owner,
    allowHttp: changes.allow_http ?? before.allow_http,
    hasBasicAuth: (changes.basic_auth === undefined ? before.basic_auth : changes.basic_auth) !== null,
    unchangedHeaderNames: changes.headers === undefined ? (before.headers?.names ?? []) : [],
  };
  const url = isAddressChanged ? (changes.url ?? before.url) : undefined;
  return checkSettings({ ...changes, url }, context, profile, rules);
};

/** Changes a webhook. What was held while it was disabled goes on once it is enabled: the command for that is part of the change. */
export const changeWebhook = async (
  {
    owner,
    id,
    changes,
    by,
    call,
    nowMs,
  }: WebhookRequest & { readonly changes: WebhookChanges; readonly call?: RequestOrigin },
  { store, rules, seal }: { store: WebhookStore; rules: WebhookRules; seal: Seal },
): Promise<StoredWebhook> => {
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    const before = await findWebhook(store, owner, id);
    const profile = profileNamed(before.profile, rules);
    await checkChanges(before, changes, profile, rules);
    const after = await applied(before, changes, profile, seal, nowMs);
    const routesAfter = webhookRoutes(after, profile);
    // One that had more from the former release keeps it.
    if (changes.events !== undefined || changes.resource !== undefined) checkRoutes(routesAfter);
    const isResumed = after.enabled && !before.enabled;
    const isDone = await store.replace({
      before,
      after,
      routesBefore: webhookRoutes(before, profile),
      routesAfter,
      command: isResumed
        ? { id: `release#${id}#${after.version}`, owner, call, type: 'release', webhook_id: id }
        : null,
      entry: auditEntry(by, 'webhook.changed', id, nowMs),
      nowMs,
    });
    if (isDone) return after;
  }
  throw concurrentChange();
};
