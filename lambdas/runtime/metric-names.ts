// Imported by both worlds, the functions that measure and the stack that draws and watches: imports nothing.

export const metricNamespace = 'PassPost';

/** Powertools reads it, and so do we: the dimension `service`, which tells one stack of an account from another. */
export const serviceVariable = 'POWERTOOLS_SERVICE_NAME';

/**
 * What there is to say of every event and every delivery: CloudWatch counts it off the lines that say it, as
 * lib/metric-filters.ts tells it to. Those of an attempt are told by profile, too.
 */
export const counted = {
  delivered: ['Delivered', 'Count'],
  refused: ['Refused', 'Count'],
  dead: ['Dead', 'Count'],
  gone: ['Gone', 'Count'],
  /** From the event to its first POST; where a webhook's own pace or a hold put it off, from then. */
  firstAttemptMs: ['FirstAttemptLatency', 'Milliseconds'],
  /** Of every later attempt, behind its time. */
  latenessMs: ['Lateness', 'Milliseconds'],
  /** What an attempt took; how often it was measured is how many attempts there were. */
  receiverMs: ['ReceiverDuration', 'Milliseconds'],

  events: ['Events', 'Count'],
  /** Deliveries that they came to. */
  fannedOut: ['FannedOut', 'Count'],
} as const;

/** What is seldom: written, where there is any, at the end of an invocation. */
export const written = {
  held: ['Held', 'Count'],
  cancelled: ['Cancelled', 'Count'],
  discarded: ['Discarded', 'Count'],
  resent: ['Resent', 'Count'],
  forwarded: ['Forwarded', 'Count'],
  paced: ['Paced', 'Count'],
  superseded: ['Superseded', 'Count'],
  /** By us: the message comes back. */
  failed: ['Failed', 'Count'],
  slowLaneAttempts: ['SlowLaneAttempts', 'Count'],
  forbiddenAddresses: ['ForbiddenAddresses', 'Count'],
  keyringUnreadable: ['KeyringUnreadable', 'Count'],

  /** Due by now and not recorded. */
  owedNow: ['OwedNow', 'Count'],
  /** How long the oldest of them has been due. */
  oldestOwedSeconds: ['OldestOwed', 'Seconds'],

  /** Answers with 429: a key's minute was full. */
  rateLimited: ['RateLimited', 'Count'],
  /** Answers with 503: a table was busy. */
  unavailable: ['Unavailable', 'Count'],
  /** AWS calls of ours that were refused for want of capacity, each time. */
  throttles: ['Throttles', 'Count'],
} as const;

/**
 * All that is measured, with its unit. Nothing is told by webhook or account, so that the number of series, which is what
 * CloudWatch charges for, does not grow with use.
 */
export const metrics = { ...counted, ...written } as const;

export type Measure = keyof typeof metrics;
export type CountedMeasure = keyof typeof counted;
export type WrittenMeasure = keyof typeof written;
