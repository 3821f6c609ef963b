import { type DeliveryTicket, type StoredDelivery, ticketOf } from '../deliveries/delivery.ts';
import { type DeliveryChange, releaseDelivery } from '../deliveries/transitions.ts';
import type { StoredWebhook } from '../webhooks/webhook.ts';

/** A webhook and a delivery of it that was just put on hold. */
export interface HeldDelivery {
  readonly webhook: StoredWebhook;
  readonly delivery: StoredDelivery;
}

export interface ReleaseIfEnabledDependencies {
  readonly store: {
    record(changes: readonly DeliveryChange[]): Promise<readonly boolean[]>;
    readAgain(webhooks: readonly StoredWebhook[]): Promise<readonly (StoredWebhook | null)[]>;
  };
  readonly queue: { send(tickets: readonly DeliveryTicket[], nowMs: number): Promise<void> };
  readonly clock: () => number;
}

/** A webhook may have been enabled between being read and its delivery being held; then nobody else would let it go on. */
export const releaseIfEnabled = async (
  held: readonly HeldDelivery[],
  { store, queue, clock }: ReleaseIfEnabledDependencies,
): Promise<void> => {
  if (held.length === 0) return;
  const now = await store.readAgain(held.map(({ webhook }) => webhook));
  const changes = held.flatMap(({ delivery }, index) =>
    now[index]?.enabled && now[index].deleted_at === null
      ? [{ before: delivery, after: releaseDelivery(delivery, clock()) }]
      : [],
  );
  const recorded = await store.record(changes);
  const resumed = changes.filter((_, index) => recorded[index]).map(({ after }) => ticketOf(after));
  if (resumed.length > 0) await queue.send(resumed, clock());
};
