import type { DeliveryTicket } from '../deliveries/delivery.ts';
import type { StoredWebhook } from '../webhooks/webhook.ts';

export interface ReleaseStore {
  webhook(owner: string, id: string): Promise<StoredWebhook | null>;
  /** Lets some of a webhook's held deliveries go on, due now. */
  releasePage(
    webhookId: string,
    requestedBy: undefined,
    nowMs: number,
  ): Promise<{ readonly tickets: readonly DeliveryTicket[]; readonly hasMore: boolean }>;
}

export interface ReleaseDependencies {
  readonly store: ReleaseStore;
  readonly queue: { send(tickets: readonly DeliveryTicket[], nowMs: number): Promise<void> };
  readonly clock: () => number;
}

/** What is enabled takes what was held; what is deleted lets it be cancelled. */
const letsGo = (webhook: StoredWebhook | null): boolean =>
  webhook !== null && (webhook.enabled || webhook.deleted_at !== null) && !webhook.is_history_erased;

/** Lets go on what is held by mistake. Answers how many; `null` where they are held with reason. */
export const releaseHeld = async (
  owner: string,
  webhookId: string,
  { store, queue, clock }: ReleaseDependencies,
  isTimeUp: () => boolean,
): Promise<number | null> => {
  if (!letsGo(await store.webhook(owner, webhookId))) return null;
  let resumed = 0;
  for (let hasMore = true; hasMore && !isTimeUp(); ) {
    const some = await store.releasePage(webhookId, undefined, clock());
    await queue.send(some.tickets, clock());
    resumed += some.tickets.length;
    hasMore = some.hasMore;
  }
  return resumed;
};
