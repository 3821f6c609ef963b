import { eraseCommand } from '../deliveries/command.ts';
import { auditEntry } from '../foundation/audit.ts';
import { webhookRoutes } from './event-routing.ts';
import { concurrentChange, findWebhook, MAX_TRIES, type WebhookRequest, type WebhookStore } from './update-loop.ts';
import { profileNamed, type WebhookRules } from './validate-webhook.ts';

/**
 * Deletes a webhook. A tombstone stays, without anything secret, for as long as its deliveries may be looked at. With
 * its history they are nowhere to be seen from now on, and a command takes their rows away.
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
      // What was held goes on to be cancelled: as long as it is owed, it never expires.
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
