import type { StoredDelivery } from '../deliveries/delivery.ts';
import { SHORT_WAIT_MS } from '../deliveries/retry-schedule.ts';
import type { StoredWebhook } from '../webhooks/webhook.ts';

export interface RateLimitStore {
  /**
   * Reserves `count` slots (times to send) of a webhook, `intervalMs` apart. Returns the time of the first slot, which
   * is now or later.
   */
  reserveSlots(webhookId: string, count: number, intervalMs: number, nowMs: number): Promise<number>;
  /**
   * Takes up to `wanted` leases of a webhook (each allows one request in flight), so that at most `limit` are alive.
   * Returns the ids of the leases. A lease ends by itself, because a plain counter would leak when its holder is
   * killed.
   */
  takeLeases(webhookId: string, limit: number, wanted: number, nowMs: number, endsAtMs: number): Promise<string[]>;
  returnLeases(webhookId: string, leases: readonly string[]): Promise<void>;
}

/** A webhook's deliveries, split by whether their slot is now (at most `SHORT_WAIT_MS` away) or later. */
export interface SlotAssignment<T> {
  readonly now: readonly T[];
  /** The deliveries whose slot is later. `after` is the row that the delivery gets while it waits for its slot. */
  readonly later: readonly { readonly item: T; readonly after: StoredDelivery }[];
}

/** A webhook's deliveries, split by whether they got a lease (permission for one request in flight). */
export interface Admission<T> {
  readonly admitted: readonly T[];
  readonly waiting: readonly T[];
  /** Ids of the leases to give back after the attempts. */
  readonly leases: readonly string[];
}

/** Milliseconds that a lease lasts longer than the webhook's request timeout. */
const LEASE_SLACK_MS = 5000;

/**
 * Gives each of a webhook's deliveries a slot under `max_per_second`, with one write for all, and returns them split by
 * their slot. A slot that is more than `SHORT_WAIT_MS` away becomes the delivery's due time, and the delivery keeps
 * that slot until its attempt.
 */
export const assignSlots = async <T extends { readonly delivery: StoredDelivery }>(
  webhook: StoredWebhook,
  group: readonly T[],
  store: RateLimitStore,
  queue: { carries(dueAtMs: number, nowMs: number): boolean },
  nowMs: number,
): Promise<SlotAssignment<T>> => {
  const withoutSlot = group.filter(({ delivery }) => !delivery.has_slot);
  if (webhook.max_per_second === null || withoutSlot.length === 0) return { now: group, later: [] };
  const intervalMs = 1000 / webhook.max_per_second;
  const firstMs = await store.reserveSlots(webhook.id, withoutSlot.length, intervalMs, nowMs);
  const slots = new Map(withoutSlot.map((item, index) => [item, Math.ceil(firstMs + index * intervalMs)]));

  const now: T[] = [];
  const later: { item: T; after: StoredDelivery }[] = [];
  for (const item of group) {
    const slotMs = slots.get(item);
    if (slotMs === undefined) now.push(item);
    else if (slotMs - nowMs <= SHORT_WAIT_MS) now.push({ ...item, delivery: { ...item.delivery, due_at: slotMs } });
    else {
      const waiting = waitUntil(item.delivery, slotMs, !queue.carries(slotMs, nowMs));
      later.push({ item, after: { ...waiting, has_slot: true } });
    }
  }
  return { now, later };
};

/**
 * Returns a copy of the delivery whose due time is its slot and whose ticket number is one higher, to be stored. `parked`: the
 * wait is too long for the queue, so the due index sends the message.
 */
export const waitUntil = (delivery: StoredDelivery, slotMs: number, parked: boolean): StoredDelivery => ({
  ...delivery,
  ticket: delivery.ticket + 1,
  due_at: slotMs,
  parked,
});

/**
 * Takes a lease under `max_in_flight` for each of a webhook's deliveries, as far as leases are free. Returns which
 * deliveries are admitted and which wait.
 */
export const takeLeases = async <T>(
  webhook: StoredWebhook,
  group: readonly T[],
  store: RateLimitStore,
  nowMs: number,
): Promise<Admission<T>> => {
  if (webhook.max_in_flight === null) return { admitted: group, waiting: [], leases: [] };
  const endsAtMs = nowMs + webhook.timeout_seconds * 1000 + LEASE_SLACK_MS;
  const leases = await store.takeLeases(webhook.id, webhook.max_in_flight, group.length, nowMs, endsAtMs);
  return { admitted: group.slice(0, leases.length), waiting: group.slice(leases.length), leases };
};

/**
 * Gives leases back to the store. A failure is ignored: the leases end by themselves, and the attempts are made
 * already.
 */
export const returnLeases = async (
  webhook: StoredWebhook,
  leases: readonly string[],
  store: RateLimitStore,
): Promise<void> => {
  if (leases.length > 0) await store.returnLeases(webhook.id, leases).catch(() => undefined);
};
