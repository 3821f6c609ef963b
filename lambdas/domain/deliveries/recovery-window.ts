import { deliveryStatuses } from './delivery.ts';

/** Statuses that a recovery may redeliver: all except `held` and `cancelled`. */
export const recoverableStatuses = deliveryStatuses.filter(
  (status): status is Exclude<typeof status, 'held' | 'cancelled'> => status !== 'held' && status !== 'cancelled',
);
export type RecoverableStatus = (typeof recoverableStatuses)[number];

/**
 * Milliseconds after its due time when a pending delivery counts as overdue. Before that, its message may still be in
 * the queue.
 */
export const PENDING_OVERDUE_AFTER_MS = 15_000;

/**
 * Selects a webhook's deliveries by status and by their events' creation time, milliseconds: from `since` (included) to
 * `until` (excluded).
 */
export interface RecoveryWindow {
  readonly webhookId: string;
  readonly since: number;
  readonly until: number;
  readonly status: readonly RecoverableStatus[];
}
