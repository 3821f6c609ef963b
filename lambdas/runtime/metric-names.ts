// Read by the functions, which measure, and by the stack, which draws and watches: imports nothing.

export const metricNamespace = 'PassPost';

/** Environment variable with the dimension `service`, which separates several stacks in one AWS account. Powertools reads it too. */
export const serviceVariable = 'POWERTOOLS_SERVICE_NAME';

/**
 * Figures of every event and every delivery. CloudWatch derives them from log lines, by the metric filters of
 * lib/metric-filters.ts. Figures of an attempt also have the dimension `profile`.
 */
export const counted = {
  delivered: ['Delivered', 'Count'],
  refused: ['Refused', 'Count'],
  dead: ['Dead', 'Count'],
  gone: ['Gone', 'Count'],
  /** From the event to its first POST. If a rate limit or a hold delayed the delivery, from the end of that delay. */
  firstAttemptMs: ['FirstAttemptLatency', 'Milliseconds'],
  /** How late each further attempt starts. */
  latenessMs: ['Lateness', 'Milliseconds'],
  /** Duration of each attempt. The number of samples is the number of attempts. */
  receiverMs: ['ReceiverDuration', 'Milliseconds'],

  events: ['Events', 'Count'],
  /** Deliveries created for these events. */
  fannedOut: ['FannedOut', 'Count'],
} as const;

/** Rare figures. A function writes those that are not 0 at the end of an invocation. */
export const written = {
  held: ['Held', 'Count'],
  cancelled: ['Cancelled', 'Count'],
  discarded: ['Discarded', 'Count'],
  resent: ['Resent', 'Count'],
  forwarded: ['Forwarded', 'Count'],
  paced: ['Paced', 'Count'],
  superseded: ['Superseded', 'Count'],
  /** Attempts that failed on our side: SQS delivers the message again. */
  failed: ['Failed', 'Count'],
  slowLaneAttempts: ['SlowLaneAttempts', 'Count'],
  forbiddenAddresses: ['ForbiddenAddresses', 'Count'],
  keyringUnreadable: ['KeyringUnreadable', 'Count'],

  /** Deliveries that are overdue and still without a recorded attempt. */
  owedNow: ['OwedNow', 'Count'],
  /** How long the oldest of these deliveries has been due. */
  oldestOwedSeconds: ['OldestOwed', 'Seconds'],

  /** Responses with 429: a key exceeded its limit. */
  rateLimited: ['RateLimited', 'Count'],
  /** Responses with 503: a table was busy. */
  unavailable: ['Unavailable', 'Count'],
  /** AWS calls that were throttled, each retry counted. */
  throttles: ['Throttles', 'Count'],
} as const;

/**
 * Every figure with its metric name and unit. No metric has a webhook or an account as dimension, because CloudWatch
 * charges by the number of series, which would then grow with use.
 */
export const metrics = { ...counted, ...written } as const;

export type Measure = keyof typeof metrics;
export type CountedMeasure = keyof typeof counted;
export type WrittenMeasure = keyof typeof written;
