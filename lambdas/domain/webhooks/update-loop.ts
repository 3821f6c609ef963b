import type { Command } from '../deliveries/command.ts';
import type { Actor, StoredAuditEntry } from '../foundation/audit.ts';
import { notFound, PassPostError } from '../foundation/errors.ts';
import type { FirstAnswer } from '../foundation/idempotency.ts';
import type { WebhookRoutes } from './event-routing.ts';
import type { StoredWebhook } from './webhook.ts';
import type { RotationView } from './webhook-view.ts';

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
export const MAX_TRIES = 5;

export const concurrentChange = (): PassPostError =>
  new PassPostError('conflict', 'The webhook is being changed by others. Please try again.');

/** Whose webhook, which one, and who asks. */
export interface WebhookRequest {
  readonly owner: string;
  readonly id: string;
  readonly by: Actor;
  readonly nowMs: number;
}

export const findWebhook = async (store: WebhookStore, owner: string, id: string): Promise<StoredWebhook> => {
  const webhook = await store.find(owner, id);
  if (!webhook) throw notFound('webhook');
  return webhook;
};
