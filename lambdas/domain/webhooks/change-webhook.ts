import type { Profile } from '../deliveries/profile.ts';
import { auditEntry, fieldsOf } from '../foundation/audit.ts';
import { type FieldError, refuseFaults } from '../foundation/errors.ts';
import type { RequestOrigin } from '../foundation/origin.ts';
import { type ProvideSigningKey, provideKeyFor, type Seal, sealHeaders } from './create-webhook.ts';
import { missingCredentials } from './credentials.ts';
import { routesFaults, webhookRoutes } from './event-routing.ts';
import { concurrentChange, findWebhook, MAX_TRIES, type WebhookRequest, type WebhookStore } from './update-loop.ts';
import { hasFaultAt, profileNamed, settingsFaults, type WebhookRules } from './validate-webhook.ts';
import type { SealPurpose, StoredWebhook } from './webhook.ts';
import type { WebhookChanges } from './webhook-input.ts';

/**
 * Returns the fields of a webhook that enabling or disabling it changes. A webhook that is disabled already stays
 * disabled for the same reason.
 */
const switched = (before: StoredWebhook, enabled: boolean): Pick<StoredWebhook, 'enabled' | 'disabled_reason'> => ({
  enabled,
  disabled_reason: enabled ? null : before.enabled ? 'manual' : before.disabled_reason,
});

/** Returns the object without its undefined members. */
const withoutUndefined = <T extends object>(values: T): { [K in keyof T]: Exclude<T[K], undefined> } =>
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
  const now = new Date(nowMs).toISOString();
  const sealed = (purpose: SealPurpose, text: string): Promise<string> => seal(before.owner, before.id, purpose, text);
  return {
    ...before,
    ...withoutUndefined(plain),
    ...(enabled === undefined ? {} : switched(before, enabled)),
    ...(events && { events: [...new Set(events)] }),
    ...(profile_options && { profile_options: profile.options.parse(profile_options) as Record<string, unknown> }),
    ...(basic_auth === undefined
      ? {}
      : {
          basic_auth: basic_auth && {
            username: basic_auth.username,
            sealed: await sealed('password', basic_auth.password),
          },
        }),
    ...(headers === undefined ? {} : { headers: await sealHeaders(headers, (text) => sealed('headers', text)) }),
    version: before.version + 1,
    updated_at: now,
    ...(events === undefined && changes.resource === undefined ? {} : { routed_at: now }),
  };
};

/**
 * Returns the faults, beyond the schema, of the webhook as it will be after the change: a changed `allow_http` may make
 * the unchanged URL invalid.
 */
const changeFaults = async (
  before: StoredWebhook,
  changes: WebhookChanges,
  rules: WebhookRules,
): Promise<readonly FieldError[]> => {
  const isAddressChanged = changes.url !== undefined || changes.allow_http !== undefined;
  const context = {
    owner: before.owner,
    isOfCustomer: before.customer !== null,
    allowHttp: changes.allow_http ?? before.allow_http,
    hasBasicAuth: (changes.basic_auth === undefined ? before.basic_auth : changes.basic_auth) !== null,
    unchangedHeaderNames: changes.headers === undefined ? (before.headers?.names ?? []) : [],
  };
  const url = isAddressChanged ? (changes.url ?? before.url) : undefined;
  const faults = [
    ...missingCredentials(before, changes),
    ...(await settingsFaults({ ...changes, url }, context, before.profile, rules)),
  ];
  const { events = before.events, resource = before.resource } = changes;
  // A webhook of the former release may exceed the limit of the routing rows and stays valid until its events or
  // resource change.
  const isRouteChanged = changes.events !== undefined || changes.resource !== undefined;
  if (!isRouteChanged || hasFaultAt(faults, 'events')) return faults;
  return [
    ...faults,
    ...routesFaults(webhookRoutes({ ...before, events, resource }, profileNamed(before.profile, rules))),
  ];
};

/** Returns the faults, beyond the schema, of the valid fields of a change; none if the webhook does not exist. */
export const partialChangeFaults = async (
  { owner, id }: { readonly owner: string; readonly id: string },
  changes: WebhookChanges,
  { store, rules }: { readonly store: Pick<WebhookStore, 'find'>; readonly rules: WebhookRules },
): Promise<readonly FieldError[]> => {
  const before = await store.find(owner, id);
  return before ? changeFaults(before, changes, rules) : [];
};

/**
 * Changes a webhook and returns it. If the change enables the webhook, the same transaction writes the command that
 * releases its held deliveries. Throws `not_found`, `invalid`, `too_many_webhooks`, or `conflict` if concurrent requests
 * change the webhook in every try.
 */
export const changeWebhook = async (
  {
    owner,
    id,
    changes,
    by,
    call,
    nowMs,
  }: WebhookRequest & { readonly changes: WebhookChanges; readonly call?: RequestOrigin },
  {
    store,
    rules,
    seal,
    provideSigningKey,
  }: { store: WebhookStore; rules: WebhookRules; seal: Seal; provideSigningKey?: ProvideSigningKey | undefined },
): Promise<StoredWebhook> => {
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    const before = await findWebhook(store, owner, id);
    const profile = profileNamed(before.profile, rules);
    refuseFaults(await changeFaults(before, changes, rules));
    const after = await applied(before, changes, profile, seal, nowMs);
    await provideKeyFor(after, profile, provideSigningKey, nowMs);
    const routesAfter = webhookRoutes(after, profile);
    const isReleasing = after.enabled && !before.enabled;
    const isDone = await store.replace({
      before,
      after,
      routesBefore: webhookRoutes(before, profile),
      routesAfter,
      command: isReleasing
        ? { id: `release#${id}#${after.version}`, owner, call, type: 'release', webhook_id: id }
        : null,
      entry: auditEntry(by, 'webhook.changed', id, nowMs, fieldsOf(changes)),
      nowMs,
    });
    if (isDone) return after;
  }
  throw concurrentChange();
};
