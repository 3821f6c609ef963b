import { type DeliveryTicket, type StoredDelivery, ticketOf } from '../deliveries/delivery.ts';
import { type DeliveryChange, releaseDelivery } from '../deliveries/transitions.ts';
import type { StoredWebhook } from '../webhooks/webhook.ts';

/** A delivery that was just held, and its webhook as it was read before the hold. */
export interface HeldDelivery {
  readonly webhook: StoredWebhook;
  readonly delivery: StoredDelivery;
}

/** Dependencies of `releaseIfEnabled`, which reads the webhooks of deliveries again that were just held. */
export interface RecheckDependencies {
  readonly store: {
    /**
     * Records each delivery's change if the delivery's row still holds the ticket of the change's `before`. Returns for
     * each change whether it was recorded.
     */
    record(changes: readonly DeliveryChange[]): Promise<readonly boolean[]>;
    /** Reads the webhooks again with strong consistency, in the same order. `null`: the webhook has no row. */
    readWebhooks(webhooks: readonly StoredWebhook[]): Promise<readonly (StoredWebhook | null)[]>;
  };
  readonly queue: { send(tickets: readonly DeliveryTicket[], nowMs: number): Promise<void> };
  readonly clock: () => number;
}

/**
 * Releases deliveries whose webhook was enabled after it was read and before the deliveries were held. The release that
 * followed the enabling did not find these deliveries, because they were not held yet.
 */
export const releaseIfEnabled = async (
  held: readonly HeldDelivery[],
  { store, queue, clock }: RecheckDependencies,
): Promise<void> => {
  if (held.length === 0) return;
  const webhooks = await store.readWebhooks(held.map(({ webhook }) => webhook));
  const changes = held.flatMap(({ delivery }, index) =>
    webhooks[index]?.enabled && webhooks[index].deleted_at === null
      ? [{ before: delivery, after: releaseDelivery(delivery, clock()) }]
      : [],
  );
  const isRecorded = await store.record(changes);
  const released = changes.filter((_, index) => isRecorded[index]).map(({ after }) => ticketOf(after));
  if (released.length > 0) await queue.send(released, clock());
};
