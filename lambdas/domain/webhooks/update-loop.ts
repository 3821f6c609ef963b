import type { Command } from '../deliveries/command.ts';
import type { Actor, StoredAuditEntry } from '../foundation/audit.ts';
import { notFound, PassPostError } from '../foundation/errors.ts';
import type { KeyedAnswer } from '../foundation/idempotency.ts';
import type { WebhookRoutes } from './event-routing.ts';
import type { StoredWebhook } from './webhook.ts';
import type { RotationView } from './webhook-view.ts';

export interface WebhookStore {
  /** Finds a webhook. Returns null if the webhook does not exist or was deleted. */
  find(owner: string, id: string): Promise<StoredWebhook | null>;
  /**
   * Stores a change of a webhook in one transaction: the webhook's row, its routes, the audit entry and the command.
   * Returns false if the webhook has changed since it was read. Throws `too_many_webhooks` for one URL too often.
   */
  replace(change: WebhookChange): Promise<boolean>;
  /** Returns whether a delivery of the webhook, or a count of its deliveries, is stored. */
  hasHistory(id: string): Promise<boolean>;
}

export interface WebhookChange {
  readonly before: StoredWebhook;
  readonly after: StoredWebhook;
  /** True if the row of the webhook is deleted instead of replaced by `after`, because nothing refers to the webhook. */
  readonly isRemoved?: boolean;
  readonly routesBefore: WebhookRoutes;
  /**
   * The webhook's routes after the change. `null` = the webhook is deleted: it has no routes and does not count for the
   * account's limit.
   */
  readonly routesAfter: WebhookRoutes | null;
  readonly command: Command | null;
  readonly entry: StoredAuditEntry;
  /**
   * The first answer of a secret rotation's Idempotency-Key. `replace` returns false too if the key was used meanwhile.
   */
  readonly rotation?: Omit<KeyedAnswer<RotationView>, 'path'> | null;
  readonly nowMs: number;
}

/** How many times a change of a webhook is tried at most. A try fails if the webhook changed between read and write. */
export const MAX_TRIES = 5;

/** Creates the error of a webhook's change whose last try failed too. */
export const concurrentChange = (): PassPostError =>
  new PassPostError('conflict', 'Other requests are changing the webhook. Please try again.');

/** The request to change one webhook: the webhook's owner and id, the API caller and the time. */
export interface WebhookRequest {
  readonly owner: string;
  readonly id: string;
  readonly by: Actor;
  readonly nowMs: number;
}

/** Returns a webhook. Throws `not_found` if it does not exist or was deleted. */
export const findWebhook = async (store: WebhookStore, owner: string, id: string): Promise<StoredWebhook> => {
  const webhook = await store.find(owner, id);
  if (!webhook) throw notFound('webhook');
  return webhook;
};
