import { isHeld, type StoredDelivery } from '../deliveries/delivery.ts';
import { type ReleaseDependencies, type ReleaseStore, releaseHeld } from '../fan-out/release-held.ts';
import { holdDaysOf, retentionOf } from '../foundation/retention.ts';
import { DAY_MS } from '../foundation/time.ts';
import type { WebhookPosition } from './walk-webhooks.ts';

export interface HoldStore extends ReleaseStore {
  /** Cancels deliveries, each only if it is still held. Returns how many it cancelled. */
  cancelHeld(held: readonly StoredDelivery[], nowMs: number): Promise<number>;
}

export interface ExpireHoldsDependencies extends ReleaseDependencies {
  readonly store: HoldStore;
  readonly retentionDays: number;
}

export interface HoldExpiry {
  /**
   * The deliveries that were given to the function, without the deliveries that were held for too long. The returned
   * deliveries still need their events.
   */
  readonly open: readonly StoredDelivery[];
  readonly released: number;
  readonly cancelled: number;
}

/**
 * Cancels a webhook's deliveries that were held for too long. If the webhook is enabled or deleted, releases its held
 * deliveries instead. Deliveries that are not held are left alone.
 */
export const expireHolds = async (
  { owner, webhookId }: WebhookPosition,
  deliveries: readonly StoredDelivery[],
  tickAtMs: number,
  dependencies: ExpireHoldsDependencies,
  isTimeUp: () => boolean,
): Promise<HoldExpiry> => {
  const { store, clock, retentionDays } = dependencies;
  const held = deliveries.filter(isHeld);
  if (held.length === 0) return { open: deliveries, released: 0, cancelled: 0 };
  const released = await releaseHeld(owner, webhookId, dependencies, isTimeUp);
  if (released !== null) return { open: deliveries, released, cancelled: 0 };
  const expired = new Set(held.filter((delivery) => isHeldTooLong(delivery, tickAtMs, retentionDays)));
  const cancelled = expired.size > 0 ? await store.cancelHeld([...expired], clock()) : 0;
  return { open: deliveries.filter((delivery) => !expired.has(delivery)), released: 0, cancelled };
};

const isHeldTooLong = ({ due_at, retention_days }: StoredDelivery, nowMs: number, stackDays: number): boolean =>
  due_at < nowMs - holdDaysOf(retentionOf(retention_days, stackDays)) * DAY_MS;
