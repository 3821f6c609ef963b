import type { StoredDelivery } from '../deliveries/delivery.ts';
import { builtInEventType } from '../events/built-in-types.ts';
import { HOUR_MS } from '../foundation/time.ts';
import type { StoredWebhook } from '../webhooks/webhook.ts';

/** Since when a webhook has been refusing without a success, milliseconds, and whether that was told. */
export interface Health {
  readonly failingSince: number | null;
  readonly isFailingEmitted: boolean;
}

export interface HealthStore {
  beginFailing(webhookId: string, sinceMs: number): Promise<void>;
  /** Forgets that it was failing, and tells of its recovery where its failing was told. */
  endFailing(webhook: StoredWebhook, health: Health, delivery: StoredDelivery, nowMs: number): Promise<void>;
  /** Tells that it is failing, once until it recovers. */
  emitFailing(webhook: StoredWebhook, delivery: StoredDelivery, nowMs: number): Promise<void>;
  emitDead(webhook: StoredWebhook, delivery: StoredDelivery, reason: 'dead' | 'gone'): Promise<void>;
  /** Disables a webhook and makes that known, once. */
  disable(webhook: StoredWebhook, reason: 'gone' | 'failing', delivery: StoredDelivery, nowMs: number): Promise<void>;
}

/** What came of one attempt, as it stands recorded. */
export interface RecordedAttempt {
  readonly outcome: 'delivered' | 'refused' | 'dead' | 'gone';
  readonly webhook: StoredWebhook;
  readonly health: Health;
  readonly delivery: StoredDelivery;
}

/** A webhook is said to be failing when it has been for so long, or when a delivery is given up. */
const TELL_AFTER_MS = HOUR_MS;

const endOf = ({ last }: StoredDelivery): number => (last ? last.started_at + last.duration_ms : 0);

/**
 * Keeps a webhook's health and tells of it. Written on change only: as long as all goes well, nothing is. The delivery
 * of an operational event counts for nothing, so that it can cause no other.
 */
export const updateHealth = async (
  all: readonly RecordedAttempt[],
  store: HealthStore,
  { autoDisableAfterHours, speed, nowMs }: { autoDisableAfterHours: number; speed: number; nowMs: number },
): Promise<void> => {
  const byWebhook = new Map<string, RecordedAttempt[]>();
  for (const tried of all) {
    if (builtInEventType(tried.delivery.event_type)?.isOperational) continue;
    byWebhook.set(tried.webhook.id, [...(byWebhook.get(tried.webhook.id) ?? []), tried]);
  }
  for (const group of byWebhook.values()) await noteOne(group, store, autoDisableAfterHours, speed, nowMs);
};

/**
 * Tells once more that a delivery was given up, for the one that recorded it may have died before it could; what was told
 * stays as it is. A receiver that wanted no more is disabled with it, unless somebody has touched the webhook since.
 */
export const emitDeadAgain = async (
  webhook: StoredWebhook,
  delivery: StoredDelivery,
  store: Pick<HealthStore, 'emitDead' | 'disable'>,
  nowMs: number,
): Promise<void> => {
  if (builtInEventType(delivery.event_type)?.isOperational) return;
  const isGone = delivery.last?.error?.code === 'gone';
  await store.emitDead(webhook, delivery, isGone ? 'gone' : 'dead');
  const isUntouched = webhook.enabled && Date.parse(webhook.updated_at) <= (delivery.settled_at ?? 0);
  if (isGone && isUntouched) await store.disable(webhook, 'gone', delivery, nowMs);
};

const noteOne = async (
  group: readonly RecordedAttempt[],
  store: HealthStore,
  autoDisableAfterHours: number,
  speed: number,
  nowMs: number,
): Promise<void> => {
  const [first] = group;
  if (!first) return;
  const { webhook, health } = first;
  const dead = group.filter(({ outcome }) => outcome === 'dead' || outcome === 'gone');
  for (const { delivery, outcome } of dead) {
    await store.emitDead(webhook, delivery, outcome === 'gone' ? 'gone' : 'dead');
  }

  const delivered = group.find(({ outcome }) => outcome === 'delivered');
  if (delivered) {
    if (health.failingSince !== null) await store.endFailing(webhook, health, delivered.delivery, nowMs);
  } else {
    const beganMs = Math.min(...group.map(({ delivery }) => endOf(delivery)));
    if (health.failingSince === null) await store.beginFailing(webhook.id, beganMs);
    const failingMs = (nowMs - (health.failingSince ?? beganMs)) * speed;
    const isWorthTelling = dead.length > 0 || failingMs >= TELL_AFTER_MS;
    if (!health.isFailingEmitted && isWorthTelling) await store.emitFailing(webhook, first.delivery, nowMs);
    const limitMs = (webhook.auto_disable_after_hours ?? autoDisableAfterHours) * HOUR_MS;
    if (failingMs >= limitMs) await store.disable(webhook, 'failing', first.delivery, nowMs);
  }

  const gone = group.find(({ outcome }) => outcome === 'gone');
  if (gone) await store.disable(webhook, 'gone', gone.delivery, nowMs);
};
