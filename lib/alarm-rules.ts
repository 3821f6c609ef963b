// The stack, the bill in bench/, the drill and tests read the rules of the alarms, so this file imports nothing.

/** When one alarm goes off, and the sentence that its notification begins with. */
export interface AlarmRule {
  /** First sentence of the alarm's description. The address of the alarm's runbook section follows it. */
  readonly description: string;
  /**
   * The value above which the alarm goes off. `dead-rate` has neither `above` nor `below`, because CloudWatch learns
   * its limit.
   */
  readonly above?: number;
  /** The value below which the alarm goes off. */
  readonly below?: number;
  /** How many breaching periods set the alarm off; lib/alarms.ts says how long a period of each metric is. */
  readonly periods: number;
  /**
   * The number of latest periods among which the breaching periods are counted. By default it equals `periods`, so the
   * breaching periods must follow each other.
   */
  readonly outOf?: number;
  /**
   * Whether a period without data counts as breaching. By default it does not, because an idle system sends no data.
   */
  readonly isSilenceBreaching?: true;
  /** The number of metrics that CloudWatch charges for this alarm; by default 1. */
  readonly billedMetrics?: number;
}

/**
 * The messages in flight that set an alarm off: 80 % of the 120,000 that SQS allows for a queue, which leaves time to
 * act.
 */
const MAX_IN_FLIGHT = 96_000;
/** The share of Lambda's quota of concurrent executions that sets an alarm off, in percent. */
const MAX_QUOTA_PERCENT = 80;
/**
 * The age in seconds of a queue's oldest message above which an alarm goes off. SQS can delay a message by up to 900 s,
 * so a message older than 1,800 s is not merely delayed.
 */
const MAX_MESSAGE_AGE_SECONDS = 1_800;
/**
 * An alarm with these settings goes off after three breaching minutes among the last 15. A failed message returns after
 * its visibility timeout of 270 s, and a quiet API gets one call in several minutes: if each of them fails, 15 minutes
 * contain three failures, but rarely in consecutive minutes.
 */
const repeated = { periods: 3, outOf: 15 } as const;

/**
 * One alarm for each way to lose or delay a delivery, and for calls of the API that fail or have no valid key. Its key is the alarm's construct id and the heading of its section in
 * docs/runbook.md.
 */
export const alarmRules = {
  'dead-letters': {
    above: 0,
    periods: 1,
    description: 'A delivery message was received 20 times and was never finished.',
  },
  failures: {
    above: 0,
    periods: 1,
    description: 'The fan-out could not carry out a change in the domain table and put the change aside.',
  },
  'iterator-age': {
    above: 60_000,
    periods: 3,
    description: 'Changes wait for more than one minute before they become events.',
  },
  'stream-unread': {
    below: 1,
    periods: 3,
    // A period without an invocation of the fan-out is breaching. The roll-up writes a heartbeat row for the stream, so
    // a healthy fan-out runs even in an idle system.
    isSilenceBreaching: true,
    description:
      "Nothing reads the domain table's stream: changes do not become events, and they are lost after 24 hours.",
  },
  'fan-out-errors': {
    above: 0,
    periods: 3,
    outOf: 5,
    description: 'The function fan-out failed in three of the last five minutes.',
  },
  'due-errors': {
    above: 0,
    periods: 3,
    outOf: 5,
    description: 'The function due failed in three of the last five minutes.',
  },
  'roll-up-errors': {
    // The alarm goes off after two failures within a period of 15 minutes, which has three ticks.
    above: 1,
    periods: 1,
    description: 'The function roll-up failed at least twice within 15 minutes.',
  },
  'deliver-errors': {
    above: 0,
    ...repeated,
    description: 'The function deliver failed or was killed in three of the last 15 minutes.',
  },
  'handed-back': {
    above: 0,
    ...repeated,
    description: 'The function deliver returned messages to their queue in three of the last 15 minutes.',
  },
  'keyring-unreadable': {
    above: 0,
    periods: 2,
    // Ten minutes are examined, because a single message reads the keyring only once in 270 s.
    outOf: 10,
    description: 'The keyring cannot be read: soon no delivery can be signed.',
  },
  'tick-missed': {
    below: 1,
    periods: 3,
    isSilenceBreaching: true,
    description: 'The function due does not run every minute: parked deliveries and lost messages are not sent.',
  },
  'roll-up-missed': {
    below: 1,
    periods: 3,
    isSilenceBreaching: true,
    description:
      'The function roll-up does not run every five minutes: lost first attempts are not found, and hours are not counted.',
  },
  'oldest-owed': {
    above: 900,
    periods: 3,
    description: 'A delivery has been due for more than 15 minutes.',
  },
  'first-attempts': {
    above: 60_000,
    periods: 5,
    outOf: 15,
    description: 'Events wait for more than one minute before they are first sent.',
  },
  'api-errors': {
    above: 0,
    ...repeated,
    description: 'The API answers with 5xx.',
  },
  'unauthorized-calls': {
    above: 60,
    periods: 5,
    description: 'For five minutes the API has refused more than 60 calls a minute with 401: they have no valid key.',
  },
  throttles: {
    above: 0,
    ...repeated,
    description: "Lambda refuses to start the function deliver: the account's concurrency is used up.",
  },
  'busy-tables': {
    above: 10,
    periods: 5,
    description: 'For five minutes AWS has throttled more than ten calls of the functions a minute.',
  },
  concurrency: {
    above: MAX_QUOTA_PERCENT,
    periods: 3,
    description: "More than 80 % of the account's concurrent executions are in use.",
  },
  'deliveries-waiting': {
    above: MAX_MESSAGE_AGE_SECONDS,
    periods: 3,
    description: 'Messages wait in the queue deliveries for more than 30 minutes: deliver is paused or too slow.',
  },
  'slow-waiting': {
    above: MAX_MESSAGE_AGE_SECONDS,
    periods: 3,
    description: 'Messages wait in the queue slow for more than 30 minutes: deliver is paused or too slow.',
  },
  'in-flight': {
    above: MAX_IN_FLIGHT,
    periods: 3,
    // Ten minutes are examined, because SQS publishes its metrics late and FILL reads an unpublished minute as 0.
    outOf: 10,
    // The alarm's expression reads one metric of each of the queues `deliveries` and `slow`, and CloudWatch charges for
    // each metric that an alarm reads.
    billedMetrics: 2,
    description: 'A queue has more than 80 % of the messages in flight that SQS allows.',
  },
  'dead-rate': {
    periods: 2,
    outOf: 3,
    // CloudWatch charges for three metrics, and for two more because it learns the usual range.
    billedMetrics: 5,
    description: 'An unusually large share of deliveries fails for good.',
  },
} as const satisfies Readonly<Record<string, AlarmRule>>;

export type AlarmId = keyof typeof alarmRules;

export const alarmIds = Object.keys(alarmRules) as readonly AlarmId[];

/** How many metrics CloudWatch charges for, over all alarms. */
export const billedAlarmMetrics: number = Object.values<AlarmRule>(alarmRules).reduce(
  (sum, { billedMetrics = 1 }) => sum + billedMetrics,
  0,
);
