import { accountOf, modes, ownerKey } from '../foundation/owner.ts';

/**
 * A position in the walk over all webhooks: an owner and the id of one of the owner's webhooks. If `webhookId` is '',
 * the position is before the owner's first webhook.
 */
export interface WebhookPosition {
  readonly owner: string;
  readonly webhookId: string;
}

export interface WebhookWalkStore {
  /** Returns the account ids after the given id, oldest first. `null` = from the first account. */
  accounts(after: string | null): AsyncIterable<string>;
  /**
   * Returns the ids of an owner's webhooks after the given id, including webhooks that were deleted at `deletedSinceMs`
   * or later and whose history can still be read.
   */
  webhookIds(owner: string, after: string, deletedSinceMs: number): AsyncIterable<string>;
}

/**
 * Walks over all owners and their webhooks in the order of their creation, starting after `from` (`null` = from the
 * beginning). Each owner comes first as a position without a webhook, then each of its webhooks, without those that were
 * deleted before `deletedSinceMs`.
 */
export async function* walkWebhooks(
  store: WebhookWalkStore,
  from: WebhookPosition | null,
  deletedSinceMs: number,
): AsyncGenerator<WebhookPosition> {
  const firstAccountId = from ? accountOf(from.owner) : null;
  async function* positionsOf(accountId: string) {
    for (const mode of modes) {
      const owner = ownerKey({ accountId, mode });
      if (from && owner < from.owner) continue;
      yield { owner, webhookId: '' };
      const after = owner === from?.owner ? from.webhookId : '';
      for await (const webhookId of store.webhookIds(owner, after, deletedSinceMs)) yield { owner, webhookId };
    }
  }
  if (firstAccountId !== null) yield* positionsOf(firstAccountId);
  for await (const accountId of store.accounts(firstAccountId)) yield* positionsOf(accountId);
}
