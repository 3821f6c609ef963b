/**
 * Returns the days for which an account's events, deliveries and attempts can be read: the account's own number, but at
 * most the stack's. An account without its own number has the stack's.
 */
export const retentionOf = (ownDays: number | undefined, stackDays: number): number =>
  Math.min(ownDays ?? stackDays, stackDays);

/** The length of the longest retry schedule, in days. A delivery needs its event until its last attempt. */
export const SCHEDULE_DAYS = 14;

/** Returns the number of days after which a held delivery is cancelled: 90, or the retention if that is longer. */
export const holdDaysOf = (retentionDays: number): number => Math.max(90, retentionDays);
