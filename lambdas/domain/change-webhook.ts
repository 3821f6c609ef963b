import { type Actor, auditEntry, type StoredAuditEntry } from './audit.ts';
import type { Call } from './call.ts';
import { type Command, eraseCommand } from './command.ts';
import { type Seal, sealHeaders } from './create-webhook.ts';
import { notFound, PassPostError } from './errors.ts';
import type { FirstAnswer } from './idempotency.ts';
import type { WebhookChanges } from './new-webhook.ts';
import type { Profile } from './profile.ts';
import type { RotationView } from './rotate-secret.ts';
import type { StoredWebhook } from './webhook.ts';
import { checkRoutes, type WebhookRoutes, webhookRoutes } from './webhook-routes.ts';
import { checkSettings, profileNamed, type WebhookRules } from './webhook-rules.ts';

export interface WebhookStore {
  /** A webhook that is there; one that was deleted is not. */
  find(owner: string, id: string): Promise<StoredWebhook | null>;
  /** Replaces the webhook as it was read, with its routes, its audit entry and a command, together or not at all: false where it has changed since. */
  replace(change: WebhookChange): Promise<boolean>;
}

export interface WebhookChange {
  readonly before: StoredWebhook;
  readonly after: StoredWebhook;
  readonly routesBefore: WebhookRoutes;
  /** `null`: it stands nowhere any more, and is not counted. */
  readonly routesAfter: WebhookRoutes | null;
  readonly command: Command | null;
  readonly entry: StoredAuditEntry;
  /** The first answer of a rotation's Idempotency-Key; false, too, where the key was used meanwhile. */
  readonly rotation?: (FirstAnswer<RotationView> & { readonly idempotencyKey: string }) | null;
  readonly nowMs: number;
}

/** Someone else may change the webhook between reading and writing; so often it is tried again. */
export const TRIES = 5;

export const conflict = (): PassPostError =>
  new PassPostError('conflict', 'The webhook is being changed by others. Please try again.');

/** Whose webhook, which one, and who asks. */
export interface WebhookRequest {
  readonly owner: string;
  readonly id: string;
  readonly by: Actor;
  readonly nowMs: number;
}

export const found = async (store: WebhookStore, owner: string, id: string): Promise<StoredWebhook> => {
  const webhook = await store.find(owner, id);
  if (!webhook) throw notFound('webhook');
  return webhook;
};

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
  const standing = {
    owner: before.owner,
    allowHttp: changes.allow_http ?? before.allow_http,
    hasBasicAuth: (changes.basic_auth === undefined ? before.basic_auth : changes.basic_auth) !== null,
    keptHeaderNames: changes.headers === undefined ? (before.headers?.names ?? []) : [],
  };
  const url = isAddressChanged ? (changes.url ?? before.url) : undefined;
  return checkSettings({ ...changes, url }, standing, profile, rules);
};

/** Changes a webhook. What was held while it was disabled goes on once it is enabled: the command for that is part of the change. */
export const changeWebhook = async (
  { owner, id, changes, by, call, nowMs }: WebhookRequest & { readonly changes: WebhookChanges; readonly call?: Call },
  { store, rules, seal }: { store: WebhookStore; rules: WebhookRules; seal: Seal },
): Promise<StoredWebhook> => {
  for (let tries = 0; tries < TRIES; tries++) {
    const before = await found(store, owner, id);
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
      command: isResumed ? { id: `resume#${id}#${after.version}`, owner, call, type: 'resume', webhook_id: id } : null,
      entry: auditEntry(by, 'webhook.changed', id, nowMs),
      nowMs,
    });
    if (isDone) return after;
  }
  throw conflict();
};

/**
 * Deletes a webhook. A tombstone stays, without anything secret, for as long as its deliveries may be looked at. With
 * its history they are nowhere to be seen from now on, and a command takes their rows away.
 */
export const deleteWebhook = async (
  { owner, id, withHistory = false, by, nowMs }: WebhookRequest & { readonly withHistory?: boolean },
  { store, rules }: { store: WebhookStore; rules: Pick<WebhookRules, 'profiles'> },
): Promise<void> => {
  for (let tries = 0; tries < TRIES; tries++) {
    const before = await found(store, owner, id);
    const now = new Date(nowMs).toISOString();
    const isDone = await store.replace({
      before,
      after: {
        ...before,
        secrets: [],
        basic_auth: null,
        headers: null,
        version: before.version + 1,
        updated_at: now,
        deleted_at: now,
        is_history_erased: withHistory,
      },
      routesBefore: webhookRoutes(before, profileNamed(before.profile, rules)),
      routesAfter: null,
      // What was held goes on to be cancelled: as long as it is owed, it never expires.
      command: withHistory
        ? eraseCommand(owner, id, 1)
        : before.enabled
          ? null
          : { id: `resume#${id}#${before.version + 1}`, owner, type: 'resume', webhook_id: id },
      entry: auditEntry(by, 'webhook.deleted', id, nowMs),
      nowMs,
    });
    if (isDone) return;
  }
  throw conflict();
};
