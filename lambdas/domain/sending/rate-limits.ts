import type { StoredDelivery } from '../deliveries/delivery.ts';
import type { StoredWebhook } from '../webhooks/webhook.ts';
import { SHORT_WAIT_MS } from './triage.ts';

export interface RateLimitStore {
  /** Reserves so many slots at this distance, the first no earlier than now; answers when the first is. */
  reserveSlots(webhookId: string, count: number, intervalMs: number, nowMs: number): Promise<number>;
  /** Takes up to so many of a webhook's leases, which end by themselves: a plain count would leak when its holder is killed. */
  takeLeases(webhookId: string, most: number, wanted: number, nowMs: number, endsAtMs: number): Promise<string[]>;
  returnLeases(webhookId: string, leases: readonly string[]): Promise<void>;
}

/** A delivery that may be attempted, or its row as it waits for its slot. */
export interface SlotAssignment<T> {
  readonly now: readonly T[];
  readonly later: readonly { readonly item: T; readonly after: StoredDelivery }[];
}

/** A lease outlives the longest its request can take by this. */
const LEASE_SLACK_MS = 5000;

/**
 * Gives each of a webhook's deliveries its slot under `max_per_second`: one write for them all. A slot that is further
 * off than a moment becomes the delivery's due time, and is kept until the attempt.
 */
export const assignSlots = async <T extends { readonly delivery: StoredDelivery | null }>(
  webhook: StoredWebhook,
  group: readonly T[],
  store: RateLimitStore,
  carries: (dueAtMs: number, nowMs: number) => boolean,
  nowMs: number,
): Promise<SlotAssignment<T>> => {
  const wanting = group.filter(({ delivery }) => delivery && !delivery.has_slot);
  if (webhook.max_per_second === null || wanting.length === 0) return { now: group, later: [] };
  const intervalMs = 1000 / webhook.max_per_second;
  const firstMs = await store.reserveSlots(webhook.id, wanting.length, intervalMs, nowMs);
  const slots = new Map(wanting.map((item, index) => [item, Math.ceil(firstMs + index * intervalMs)]));
  const isFar = (item: T): boolean => (slots.get(item) ?? 0) - nowMs > SHORT_WAIT_MS;
  const withSlot = (delivery: StoredDelivery, due_at: number): StoredDelivery => ({
    ...delivery,
    ticket: delivery.ticket + 1,
    due_at,
    has_slot: true,
    parked: !carries(due_at, nowMs),
  });
  return {
    now: group
      .filter((item) => !isFar(item))
      .map((item) => {
        const slotMs = slots.get(item);
        return slotMs === undefined || !item.delivery
          ? item
          : { ...item, delivery: { ...item.delivery, due_at: slotMs } };
      }),
    later: group.flatMap((item) =>
      isFar(item) && item.delivery ? [{ item, after: withSlot(item.delivery, slots.get(item) ?? nowMs) }] : [],
    ),
  };
};

/** Runs as many of a webhook's requests as `max_in_flight` leaves room for; answers those that must wait. */
export const withLeases = async <T>(
  webhook: StoredWebhook,
  group: readonly T[],
  store: RateLimitStore,
  nowMs: number,
  run: (admitted: readonly T[]) => Promise<void>,
): Promise<readonly T[]> => {
  if (webhook.max_in_flight === null) {
    await run(group);
    return [];
  }
  const endsAtMs = nowMs + webhook.timeout_seconds * 1000 + LEASE_SLACK_MS;
  const leases = await store.takeLeases(webhook.id, webhook.max_in_flight, group.length, nowMs, endsAtMs);
  try {
    if (leases.length > 0) await run(group.slice(0, leases.length));
  } finally {
    // Those that cannot be given back end by themselves: what was attempted is done all the same.
    if (leases.length > 0) await store.returnLeases(webhook.id, leases).catch(() => undefined);
  }
  return group.slice(leases.length);
};
