// The functions measure these metrics, and the stack shows and watches them, so this file imports nothing.

export const metricNamespace = 'PassPost';

/**
 * The name of the environment variable that holds the metric dimension `service`, which separates several stacks in one
 * AWS account. Powertools reads the variable, too.
 */
export const serviceVariable = 'POWERTOOLS_SERVICE_NAME';

/**
 * Name and unit of each metric of events, deliveries and refused calls. CloudWatch derives these metrics from log lines, by the metric
 * filters of lib/metric-filters.ts. Metrics of an attempt also have the dimension `profile`.
 */
export const counted = {
  delivered: ['Delivered', 'Count'],
  refused: ['Refused', 'Count'],
  dead: ['Dead', 'Count'],
  gone: ['Gone', 'Count'],
  /**
   * Time from an event to its first POST. If a rate limit or a hold delayed the delivery, the time from the end of that
   * delay.
   */
  firstAttemptMs: ['FirstAttemptLatency', 'Milliseconds'],
  /** How late each attempt after the first starts, compared to its due time. */
  latenessMs: ['Lateness', 'Milliseconds'],
  /** Duration of each attempt. The number of samples is the number of attempts. */
  receiverMs: ['ReceiverDuration', 'Milliseconds'],

  events: ['Events', 'Count'],
  /** Deliveries that the fan-out created for events. */
  fannedOut: ['FannedOut', 'Count'],

  /** Responses with 401: the call had no valid API key. */
  unauthorized: ['Unauthorized', 'Count'],
} as const;

/** Name and unit of each rare metric. A function writes the values that are not 0 at the end of an invocation. */
export const written = {
  held: ['Held', 'Count'],
  cancelled: ['Cancelled', 'Count'],
  discarded: ['Discarded', 'Count'],
  resent: ['Resent', 'Count'],
  forwarded: ['Forwarded', 'Count'],
  paced: ['Paced', 'Count'],
  superseded: ['Superseded', 'Count'],
  /**
   * Number of single messages that the deliver function failed to process, although its invocation did not fail. SQS
   * delivers them again.
   */
  failed: ['Failed', 'Count'],
  slowLaneAttempts: ['SlowLaneAttempts', 'Count'],
  forbiddenAddresses: ['ForbiddenAddresses', 'Count'],
  keyringUnreadable: ['KeyringUnreadable', 'Count'],

  /** Deliveries that are overdue and have no recorded attempt yet. */
  owedNow: ['OwedNow', 'Count'],
  /** How long the oldest overdue delivery has been due. */
  oldestOwedSeconds: ['OldestOwed', 'Seconds'],

  /** Responses with 429: a key exceeded its limit. */
  rateLimited: ['RateLimited', 'Count'],
  /** Responses with 503: a table was busy. */
  unavailable: ['Unavailable', 'Count'],
  /** Events and commands that the stream lost and the roll-up found. */
  lostChanges: ['LostChanges', 'Count'],
  /** AWS calls that were throttled, each retry counted. */
  throttles: ['Throttles', 'Count'],
} as const;

/**
 * Name and unit of every metric. No metric has a webhook or an account as dimension, because CloudWatch charges by the
 * number of series, which would then grow with use.
 */
export const metrics = { ...counted, ...written } as const;

export type Measure = keyof typeof metrics;
export type CountedMeasure = keyof typeof counted;
export type WrittenMeasure = keyof typeof written;
