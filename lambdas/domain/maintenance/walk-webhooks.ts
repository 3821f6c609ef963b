import { modes, ownerKey } from '../foundation/owner.ts';

/** Where somebody who goes through every webhook is: at this one of this owner; '' before the owner's first. */
export interface WebhookPosition {
  readonly owner: string;
  readonly webhookId: string;
}

export interface WebhookWalkStore {
  /** Ids, oldest first, of those after this one. */
  accounts(after: string | null): AsyncIterable<string>;
  /** Those of an owner whose deliveries can be read, the deleted ones too. */
  webhookIds(owner: string, after: string): AsyncIterable<string>;
}

/** Every owner, each with its webhooks behind it, from a position on: in the order in which accounts and webhooks were made. */
export async function* walkWebhooks(
  store: WebhookWalkStore,
  from: WebhookPosition | null,
): AsyncGenerator<WebhookPosition> {
  const begun = from?.owner.split('#')[0] ?? null;
  async function* ofAccount(accountId: string) {
    for (const mode of modes) {
      const owner = ownerKey({ accountId, mode });
      if (from && owner < from.owner) continue;
      yield { owner, webhookId: '' };
      const after = owner === from?.owner ? from.webhookId : '';
      for await (const webhookId of store.webhookIds(owner, after)) yield { owner, webhookId };
    }
  }
  if (begun !== null) yield* ofAccount(begun);
  for await (const accountId of store.accounts(begun)) yield* ofAccount(accountId);
}
