import type { DeliveryTicket } from '../deliveries/delivery.ts';
import type { StoredWebhook } from '../webhooks/webhook.ts';

/** Deliveries that were just released, and whether the webhook has more held deliveries. */
export interface ReleasedPage {
  readonly tickets: readonly DeliveryTicket[];
  readonly hasMore: boolean;
}

export interface PageReleaser {
  /** Releases one page of a webhook's held deliveries, due now. `requestedBy`: the id of the API request, if any. */
  releasePage(webhookId: string, requestedBy: string | undefined, nowMs: number): Promise<ReleasedPage>;
}

export interface ReleaseStore extends PageReleaser {
  webhook(owner: string, id: string): Promise<StoredWebhook | null>;
}

interface PageDependencies {
  readonly store: PageReleaser;
  readonly queue: { send(tickets: readonly DeliveryTicket[], nowMs: number, isBulk?: boolean): Promise<void> };
  readonly clock: () => number;
}

export interface ReleaseDependencies extends PageDependencies {
  readonly store: ReleaseStore;
}

/**
 * Releases held deliveries of a webhook that is enabled or deleted, until the time is up, and returns how many. Returns
 * `null` if the webhook is disabled, missing or erased: then it releases nothing.
 */
export const releaseHeld = async (
  owner: string,
  webhookId: string,
  dependencies: ReleaseDependencies,
  isTimeUp: () => boolean,
): Promise<number | null> => {
  if (!mayRelease(await dependencies.store.webhook(owner, webhookId))) return null;
  if (isTimeUp()) return 0;
  return (await releasePages(webhookId, undefined, dependencies, isTimeUp)).released;
};

/**
 * Returns whether a webhook's held deliveries are to be released: an enabled webhook receives them, and those of a
 * deleted webhook are then cancelled.
 */
const mayRelease = (webhook: StoredWebhook | null): boolean =>
  webhook !== null && (webhook.enabled || webhook.deleted_at !== null) && !webhook.is_history_erased;

/**
 * Releases a webhook's held deliveries page by page and sends their messages. Releases at least one page; `isComplete`
 * is false if the time was up before the last page.
 */
export const releasePages = async (
  webhookId: string,
  requestedBy: string | undefined,
  { store, queue, clock }: PageDependencies,
  isTimeUp: () => boolean,
): Promise<{ readonly released: number; readonly isComplete: boolean }> => {
  for (let released = 0; ; ) {
    const { tickets, hasMore } = await store.releasePage(webhookId, requestedBy, clock());
    await queue.send(tickets, clock(), true);
    released += tickets.length;
    if (!hasMore) return { released, isComplete: true };
    if (isTimeUp()) return { released, isComplete: false };
  }
};
