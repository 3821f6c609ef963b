// Imported by both worlds, the functions that measure and the stack that draws and watches: imports nothing.

export const metricNamespace = 'PassPost';

/** Powertools reads it: the dimension `service`, which tells one stack of an account from another. */
export const serviceVariable = 'POWERTOOLS_SERVICE_NAME';

/**
 * All that is measured, with its unit. Those of an attempt are told by profile, too; nothing is told by webhook or account,
 * so that the number of series, which is what CloudWatch charges for, does not grow with use.
 */
export const metrics = {
  delivered: ['Delivered', 'Count'],
  refused: ['Refused', 'Count'],
  dead: ['Dead', 'Count'],
  gone: ['Gone', 'Count'],
  /** From the event to the first POST. */
  firstAttemptMs: ['FirstAttemptLatency', 'Milliseconds'],
  /** Of every later attempt, behind its time. */
  latenessMs: ['Lateness', 'Milliseconds'],
  /** What an attempt took; how often it was measured is how many attempts there were. */
  receiverMs: ['ReceiverDuration', 'Milliseconds'],

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

  /** Deliveries of an event; how often it was measured is how many events there were. */
  fanOutSize: ['FanOutSize', 'Count'],

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

export type Measure = keyof typeof metrics;
