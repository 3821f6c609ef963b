import { SCHEDULE_DAYS } from '../lambdas/domain/foundation/retention.ts';
import { billedAlarmMetrics } from '../lib/alarm-rules.ts';
import { defaults } from '../lib/defaults.ts';
import { monthlyPrices, prices } from './prices.ts';

// Computes the table of monthly costs in docs/deploying.md; a test compares the output with the page. Each delivery has
// its own event and one webhook. When a price, the usage of a delivery or the number of a priced resource changes, run
// `node bench/bill.ts` and paste its output.

const SECONDS_A_MONTH = 30 * 86_400;

/**
 * How much of AWS one delivery uses, if a separate call publishes the delivery's event; docs/performance.md describes
 * the measurement.
 */
interface PerDelivery {
  readonly httpRequests: number;
  readonly writeUnits: number;
  readonly readUnits: number;
  readonly queueRequests: number;
  /** Cost of the functions' requests and compute time for one delivery, in dollars. */
  readonly functions: number;
  /** Estimated bytes of log lines for one delivery: of the functions, of the API's access log and of Lambda itself. */
  readonly logBytes: number;
}

/**
 * Read units with which the roll-up's search for lost changes compares one delivery and its event, computed: half a unit
 * for the delivery, and an eighth for an event of a kilobyte.
 */
const SEARCH_READ_UNITS = 0.625;

/** Usage of one delivery when every batch has one message, as at a few deliveries a second. */
const alone: PerDelivery = {
  httpRequests: 1,
  writeUnits: 4,
  readUnits: 5 + SEARCH_READ_UNITS,
  queueRequests: 3,
  functions: 0.745 / 1e6,
  logBytes: 2100,
};
/** Usage of one delivery when every batch is full, as at hundreds of deliveries a second. */
const full: PerDelivery = {
  ...alone,
  readUnits: 1.68 + SEARCH_READ_UNITS,
  queueRequests: 0.3,
  functions: 0.4 / 1e6,
  logBytes: 1500,
};

/** Stored bytes of a delivery's row and its event's row, with DynamoDB's 100 bytes for each row. */
const STORED_BYTES = 1800;
/** Months for which both rows of a delivery are stored: the sum of the retention and the longest schedule. */
const STORED_MONTHS = (defaults.retentionDays + SCHEDULE_DAYS) / 30;
const LOG_MONTHS = 3;
/** Bytes that one webhook request sends on the network: the request, TLS and acknowledgements. */
const SENT_BYTES = 2000;

/**
 * How many resources of each kind with a monthly price the stack has; a test compares the numbers with the template. A
 * metric series is written and billed only when the metric has a value.
 */
export const counts = { secrets: 2, alarmMetrics: billedAlarmMetrics, dashboards: 1, metricSeries: 69 } as const;

/** Polls of empty queues in a month: Lambda's five pollers for each of the two queues poll every twenty seconds. */
const polls = (2 * 5 * SECONDS_A_MONTH) / 20;

/**
 * Usage of a scheduled function in an idle stack, read from its log lines: the invocations in a month (`times`), and
 * the usage of each invocation. `seconds` is measured on the local stack.
 */
interface Tick {
  readonly times: number;
  readonly readUnits: number;
  readonly writeUnits: number;
  readonly seconds: number;
  readonly logBytes: number;
}
const idle = {
  /**
   * Usage of one invocation of the due function, which queries each of the sixteen shards for due and for parked
   * deliveries.
   */
  minute: { times: SECONDS_A_MONTH / 60, readUnits: 16, writeUnits: 0, seconds: 0.06, logBytes: 700 },
  /** Usage of one invocation of the roll-up, which also writes and deletes the heartbeat's row. */
  fiveMinutes: { times: SECONDS_A_MONTH / 300, readUnits: 4.3, writeUnits: 2.1, seconds: 0.06, logBytes: 800 },
  /** Usage of the one fan-out invocation that each deletion of the heartbeat's row causes. */
  heartbeat: { times: SECONDS_A_MONTH / 300, readUnits: 0, writeUnits: 0, seconds: 0.005, logBytes: 450 },
} satisfies Readonly<Record<string, Tick>>;
const ofTicks = (amount: (tick: Tick) => number): number =>
  Object.values(idle).reduce((sum, tick) => sum + tick.times * amount(tick), 0);

/**
 * Returns the number of traces that X-Ray records in a month: the first request of each second and 5 % of the others.
 */
const tracesOf = (requests: number): number => {
  const firsts = Math.min(requests, SECONDS_A_MONTH);
  return firsts + (requests - firsts) / 20;
};

const GB = 1e9;

const linesOf = (deliveries: number, per: PerDelivery): Readonly<Record<string, number>> => ({
  'HTTP API': deliveries * per.httpRequests * prices.httpApiRequest,
  'DynamoDB, written': (deliveries * per.writeUnits + ofTicks(({ writeUnits }) => writeUnits)) * prices.writeUnit,
  'DynamoDB, read': (deliveries * per.readUnits + ofTicks(({ readUnits }) => readUnits)) * prices.readUnit,
  'DynamoDB, kept and backed up':
    ((deliveries * STORED_BYTES * STORED_MONTHS) / GB) * (monthlyPrices.tableGb + monthlyPrices.backupGb),
  'SQS, its empty polls too': (deliveries * per.queueRequests + polls) * prices.queueRequest,
  'Lambda, its ticks too':
    deliveries * per.functions +
    ofTicks(({ seconds }) => prices.functionRequest + seconds * 0.5 * prices.functionGbSecond),
  'logs, taken and kept 90 days':
    ((deliveries * per.logBytes + ofTicks(({ logBytes }) => logBytes)) / GB) *
    (monthlyPrices.logGbIngested + LOG_MONTHS * monthlyPrices.logGbStored),
  'metrics, at most': (deliveries > 0 ? counts.metricSeries : 0) * monthlyPrices.metricSeries,
  alarms: counts.alarmMetrics * monthlyPrices.alarm,
  dashboard: counts.dashboards * monthlyPrices.dashboard,
  // A delivery has two traces: one of the API call, and one that begins at the stream.
  'traces, the ticks’ too, at most': (2 * tracesOf(deliveries) + ofTicks(() => 1)) * monthlyPrices.trace,
  'sent to the internet': Math.max(0, (deliveries * SENT_BYTES) / GB - 100) * monthlyPrices.sentGb,
  secrets: counts.secrets * monthlyPrices.secret,
});

const dollars = (amount: number): string => (amount >= 100 ? amount.toFixed(0) : amount.toFixed(2));

/** Returns the Markdown table of monthly costs in docs/deploying.md. */
export const renderBill = (): string => {
  const columns = [
    { head: '0', lines: linesOf(0, alone) },
    { head: '1 M, one at a time', lines: linesOf(1e6, alone) },
    { head: '100 M, one at a time', lines: linesOf(100e6, alone) },
    { head: '100 M, batches full', lines: linesOf(100e6, full) },
  ];
  const names = Object.keys(columns[0]?.lines ?? {});
  const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const totals = columns.map(({ lines }) => Object.values(lines).reduce((sum, amount) => sum + amount, 0));
  return [
    row(['$ a month', ...columns.map(({ head }) => head)]),
    row(['---', ...columns.map(() => '---:')]),
    ...names.map((name) => row([name, ...columns.map(({ lines }) => dollars(lines[name] ?? 0))])),
    row(['**together**', ...totals.map((total) => `**${dollars(total)}**`)]),
  ].join('\n');
};

if (import.meta.main) console.log(renderBill());
