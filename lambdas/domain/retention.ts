/** Days for which an account's events, deliveries and attempts can be read: its own number, where it has one, and never more than the stack's. */
export const retentionOf = (ownDays: number | undefined, stackDays: number): number =>
  Math.min(ownDays ?? stackDays, stackDays);
