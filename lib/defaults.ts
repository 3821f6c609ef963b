/** The values of settings that a deployment does not set. */
export const defaults = {
  /** Days for which deliveries, attempts and events can be read. */
  retentionDays: 30,
  /** Hours without a success after which a failing webhook is disabled. */
  autoDisableAfterHours: 120,
} as const;
