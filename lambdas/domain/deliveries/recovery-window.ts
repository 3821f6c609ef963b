import { deliveryStatuses } from './delivery.ts';

/** What can be sent again by the window: all but what is held or was cancelled, which waits for its webhook or was given up. */
export const recoverableStatuses = deliveryStatuses.filter(
  (status): status is Exclude<typeof status, 'held' | 'cancelled'> => status !== 'held' && status !== 'cancelled',
);
export type RecoverableStatus = (typeof recoverableStatuses)[number];

/** A first attempt that has not come for so long after its time is overdue; before that it may be on its way. */
export const OVERDUE_AFTER_MS = 15_000;

/** Milliseconds, of the deliveries' events: from `since` on and before `until`. */
export interface RecoveryWindow {
  readonly webhookId: string;
  readonly since: number;
  readonly until: number;
  readonly status: readonly RecoverableStatus[];
}
