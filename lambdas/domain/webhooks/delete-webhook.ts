import { eraseCommand } from '../deliveries/command.ts';
import { auditEntry } from '../foundation/audit.ts';
import { webhookRoutes } from './event-routing.ts';
import { concurrentChange, findWebhook, MAX_TRIES, type WebhookRequest, type WebhookStore } from './update-loop.ts';
import { profileNamed, type WebhookRules } from './validate-webhook.ts';

/**
 * Deletes a webhook. A tombstone without secrets stays as long as the webhook's deliveries can be read. `withHistory`
 * hides the deliveries immediately, and a command erases their rows. Throws `not_found` or `conflict`.
 */
export const deleteWebhook = async (
  { owner, id, withHistory = false, by, nowMs }: WebhookRequest & { readonly withHistory?: boolean },
  { store, rules }: { store: WebhookStore; rules: Pick<WebhookRules, 'profiles'> },
): Promise<void> => {
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    const before = await findWebhook(store, owner, id);
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
      // Held deliveries never expire. The release command makes them due; each is then cancelled.
      command: withHistory
        ? eraseCommand(owner, id, 1)
        : before.enabled
          ? null
          : { id: `release#${id}#${before.version + 1}`, owner, type: 'release', webhook_id: id },
      entry: auditEntry(by, 'webhook.deleted', id, nowMs),
      nowMs,
    });
    if (isDone) return;
  }
  throw concurrentChange();
};
