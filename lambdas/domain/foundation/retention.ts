/** Days for which an account's events, deliveries and attempts can be read: its own number, where it has one, and never more than the stack's. */
export const retentionOf = (ownDays: number | undefined, stackDays: number): number =>
  Math.min(ownDays ?? stackDays, stackDays);

/** The longest schedule lasts so long; until its last attempt a delivery needs its event. */
export const SCHEDULE_DAYS = 14;

/** Days for which a delivery is held without a break, at most: no shorter than it could be read were it settled. */
export const holdDaysOf = (retentionDays: number): number => Math.max(90, retentionDays);
