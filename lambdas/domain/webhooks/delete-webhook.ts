import { type Command, eraseCommand } from '../deliveries/command.ts';
import { auditEntry } from '../foundation/audit.ts';
import { webhookRoutes } from './event-routing.ts';
import { concurrentChange, findWebhook, MAX_TRIES, type WebhookRequest, type WebhookStore } from './update-loop.ts';
import { profileNamed, type WebhookRules } from './validate-webhook.ts';
import type { StoredWebhook } from './webhook.ts';

/** Returns a URL without its query, which may hold a secret. */
const withoutQuery = (url: string): string => url.replace(/\?.*$/s, '');

/**
 * Returns the row of a deleted webhook, which reads of its deliveries need: without secrets, headers, description and
 * the URL's query.
 */
const tombstoneOf = (webhook: StoredWebhook, withHistory: boolean, nowMs: number): StoredWebhook => {
  const now = new Date(nowMs).toISOString();
  return {
    ...webhook,
    url: withoutQuery(webhook.url),
    description: null,
    secrets: [],
    basic_auth: null,
    headers: null,
    version: webhook.version + 1,
    updated_at: now,
    deleted_at: now,
    is_history_erased: withHistory,
  };
};

/** Returns the command that ends the deliveries of a deleted webhook; `null` = no command is needed. */
const commandOf = ({ id, owner, enabled, version }: StoredWebhook, withHistory: boolean): Command | null => {
  if (withHistory) return eraseCommand(owner, id, 1);
  // Held deliveries never expire. The release command makes them due; each is then cancelled.
  return enabled ? null : { id: `release#${id}#${version + 1}`, owner, type: 'release', webhook_id: id };
};

/**
 * Deletes a webhook. If it has deliveries, a tombstone without secrets stays as long as they can be read. `withHistory`
 * hides the deliveries immediately, and a command erases their rows. Throws `not_found` or `conflict`.
 */
export const deleteWebhook = async (
  { owner, id, withHistory = false, by, nowMs }: WebhookRequest & { readonly withHistory?: boolean },
  { store, rules }: { store: WebhookStore; rules: Pick<WebhookRules, 'profiles'> },
): Promise<void> => {
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    const before = await findWebhook(store, owner, id);
    // An event that is fanned out meanwhile may still write a delivery. Its attempt finds no webhook and cancels it.
    const isRemoved = !(await store.hasHistory(id));
    const isDone = await store.replace({
      before,
      after: tombstoneOf(before, withHistory, nowMs),
      isRemoved,
      routesBefore: webhookRoutes(before, profileNamed(before.profile, rules)),
      routesAfter: null,
      command: isRemoved ? null : commandOf(before, withHistory),
      entry: auditEntry(by, 'webhook.deleted', id, nowMs),
      nowMs,
    });
    if (isDone) return;
  }
  throw concurrentChange();
};
