import type { StoredDelivery } from '../deliveries/delivery.ts';
import { builtInEventType } from '../events/built-in-types.ts';
import { HOUR_MS } from '../foundation/time.ts';
import type { StoredWebhook } from '../webhooks/webhook.ts';

/** Whether a webhook is failing, and since when. */
export interface Health {
  /**
   * Time since which every attempt of the webhook was refused, milliseconds since the epoch. `null`: the webhook is not
   * failing.
   */
  readonly failingSince: number | null;
  /** True if `webhook.failing` was emitted since `failingSince`. */
  readonly isFailingEmitted: boolean;
}

export interface HealthStore {
  /** Stores the time since which a webhook has been failing, unless a time is stored already. */
  beginFailing(webhookId: string, sinceMs: number): Promise<void>;
  /** Removes a webhook's failing state. Emits `webhook.recovered` if `webhook.failing` was emitted. */
  endFailing(webhook: StoredWebhook, health: Health, delivery: StoredDelivery, nowMs: number): Promise<void>;
  /** Emits `webhook.failing`, once until the webhook recovers. */
  emitFailing(webhook: StoredWebhook, delivery: StoredDelivery, nowMs: number): Promise<void>;
  /** Emits `delivery.dead`, once per delivery and ticket. */
  emitDead(webhook: StoredWebhook, delivery: StoredDelivery, reason: 'dead' | 'gone'): Promise<void>;
  /** Disables a webhook and emits `webhook.disabled`. Does nothing if the webhook has changed since it was read. */
  disable(webhook: StoredWebhook, reason: 'gone' | 'failing', delivery: StoredDelivery, nowMs: number): Promise<void>;
}

/** One attempt after it was recorded: its outcome, its webhook, the webhook's health, and its delivery. */
export interface RecordedAttempt {
  readonly outcome: 'delivered' | 'refused' | 'dead' | 'gone';
  readonly webhook: StoredWebhook;
  readonly health: Health;
  readonly delivery: StoredDelivery;
}

interface HealthOptions {
  readonly autoDisableAfterHours: number;
  /**
   * A number, 1 in production: the waits of all retry schedules are divided by the number, and the time that a webhook
   * has been failing is multiplied by the number.
   */
  readonly speed: number;
  readonly nowMs: number;
}

/** `webhook.failing` is emitted after one hour of refusals, or as soon as a delivery is dead. */
const EMIT_FAILING_AFTER_MS = HOUR_MS;

/** Returns the end of a delivery's last attempt, milliseconds since the epoch; 0 if no attempt was made. */
const endOf = ({ last }: StoredDelivery): number => (last ? last.started_at + last.duration_ms : 0);

/**
 * Returns whether the attempts of a delivery count for the health of its webhook. Deliveries of operational events do
 * not count, because they would cause further events; test deliveries do not count either.
 */
const countsForHealth = ({ event_type, test }: StoredDelivery): boolean =>
  !test && !builtInEventType(event_type)?.isOperational;

/** Returns whether the receiver refused a delivery that it had accepted before. */
const isRefusedAgain = ({ outcome, delivery }: RecordedAttempt): boolean =>
  outcome !== 'delivered' && delivery.status === 'delivered';

/**
 * Updates the health of the attempted webhooks and emits the operational events about changes of health. It writes only
 * changes, so that a healthy webhook costs no write. The refusal of a delivered delivery changes nothing, because the
 * receiver has the event already.
 */
export const updateHealth = async (
  attempts: readonly RecordedAttempt[],
  store: HealthStore,
  options: HealthOptions,
): Promise<void> => {
  const counted = attempts.filter((attempt) => countsForHealth(attempt.delivery) && !isRefusedAgain(attempt));
  const byWebhook = Map.groupBy(counted, ({ webhook }) => webhook.id);
  for (const group of byWebhook.values()) await updateOne(group, store, options);
};

/**
 * Emits `delivery.dead` for a delivery whose last attempt was recorded by a function that may have died before it emitted
 * the event. Does nothing if the event exists. If the receiver was gone, it also disables the webhook, unless the webhook
 * has been changed since.
 */
export const emitDeadAgain = async (
  webhook: StoredWebhook,
  delivery: StoredDelivery,
  store: Pick<HealthStore, 'emitDead' | 'disable'>,
  nowMs: number,
): Promise<void> => {
  if (!countsForHealth(delivery)) return;
  const isGone = delivery.last?.error?.code === 'gone';
  await store.emitDead(webhook, delivery, isGone ? 'gone' : 'dead');
  const isUnchanged = webhook.enabled && Date.parse(webhook.updated_at) <= (delivery.settled_at ?? 0);
  if (isGone && isUnchanged) await store.disable(webhook, 'gone', delivery, nowMs);
};

/** Updates the health of one webhook after all its attempts in a batch. */
const updateOne = async (
  group: readonly RecordedAttempt[],
  store: HealthStore,
  { autoDisableAfterHours, speed, nowMs }: HealthOptions,
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
    const isEventDue = dead.length > 0 || failingMs >= EMIT_FAILING_AFTER_MS;
    if (!health.isFailingEmitted && isEventDue) await store.emitFailing(webhook, first.delivery, nowMs);
    const limitMs = (webhook.auto_disable_after_hours ?? autoDisableAfterHours) * HOUR_MS;
    if (failingMs >= limitMs) await store.disable(webhook, 'failing', first.delivery, nowMs);
  }

  const gone = group.find(({ outcome }) => outcome === 'gone');
  if (gone) await store.disable(webhook, 'gone', gone.delivery, nowMs);
};
