import { SCHEDULE_DAYS } from '../lambdas/domain/foundation/retention.ts';
import { defaults } from '../lambdas/runtime/defaults.ts';
import { billedAlarmMetrics } from '../lib/alarm-rules.ts';
import { monthlyPrices, prices } from './prices.ts';

// What a month costs at so many deliveries, each of an event of its own with one webhook: the table in docs/deploying.md,
// which a test compares with this. Run it (`node bench/bill.ts`) and paste what it prints when a price or a count changes.

const SECONDS_A_MONTH = 30 * 86_400;

/** What one delivery takes, its event published by a call of its own; docs/performance.md says how it was measured. */
interface PerDelivery {
  readonly httpRequests: number;
  readonly writeUnits: number;
  readonly readUnits: number;
  readonly queueRequests: number;
  /** Requests and time of the functions, in dollars. */
  readonly functions: number;
  /** Of the functions and of the API's access log, with what Lambda itself writes about each invocation. Estimated. */
  readonly logBytes: number;
}

/** One at a time, as at a few a second: every batch holds one. */
const alone: PerDelivery = {
  httpRequests: 1,
  writeUnits: 4,
  readUnits: 5,
  queueRequests: 3,
  functions: 0.745 / 1e6,
  logBytes: 2100,
};
/** Batches full, as at hundreds a second. */
const full: PerDelivery = { ...alone, readUnits: 1.68, queueRequests: 0.3, functions: 0.4 / 1e6, logBytes: 1500 };

/** An event's row and a delivery's, with DynamoDB's 100 bytes for each. Both are stored for the retention and the longest schedule. */
const STORED_BYTES = 1800;
const STORED_MONTHS = (defaults.retentionDays + SCHEDULE_DAYS) / 30;
const LOG_MONTHS = 3;
/** Request, TLS and what comes back of it. */
const SENT_BYTES = 2000;

/** With what the stack has now; a test counts the template's. A series is written, and paid for, only where something is counted. */
export const counts = { secrets: 2, alarmMetrics: billedAlarmMetrics, dashboards: 1, metricSeries: 67 } as const;

/** Lambda's pollers ask an empty queue every twenty seconds, five for each of the two. */
const polls = (2 * 5 * SECONDS_A_MONTH) / 20;

/** What goes on where nothing else does. Read off the lines of an idle stack; time is what a tick takes here. */
interface Tick {
  readonly times: number;
  readonly readUnits: number;
  readonly writeUnits: number;
  readonly seconds: number;
  readonly logBytes: number;
}
const idle = {
  /** The due function: sixteen shards, each asked for what is due and for what is parked. */
  minute: { times: SECONDS_A_MONTH / 60, readUnits: 16, writeUnits: 0, seconds: 0.06, logBytes: 700 },
  /** The roll-up, with the heartbeat's row put and taken away. */
  fiveMinutes: { times: SECONDS_A_MONTH / 300, readUnits: 2.5, writeUnits: 2, seconds: 0.06, logBytes: 800 },
  /** What the heartbeat is to the fan-out. */
  heartbeat: { times: SECONDS_A_MONTH / 300, readUnits: 0, writeUnits: 0, seconds: 0.005, logBytes: 450 },
} satisfies Readonly<Record<string, Tick>>;
const ofTicks = (amount: (tick: Tick) => number): number =>
  Object.values(idle).reduce((sum, tick) => sum + tick.times * amount(tick), 0);

/** X-Ray takes the first request of each second and a twentieth of the others; a trace for the call and one for its way from the stream. */
const tracesOf = (requests: number): number => {
  const first = Math.min(requests, SECONDS_A_MONTH);
  return first + (requests - first) / 20;
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
    (monthlyPrices.logGbTaken + LOG_MONTHS * monthlyPrices.logGbKept),
  'metrics, at most': (deliveries > 0 ? counts.metricSeries : 0) * monthlyPrices.metricSeries,
  alarms: counts.alarmMetrics * monthlyPrices.alarm,
  dashboard: counts.dashboards * monthlyPrices.dashboard,
  'traces, the ticks’ too, at most': (2 * tracesOf(deliveries) + ofTicks(() => 1)) * monthlyPrices.trace,
  'sent to the internet': Math.max(0, (deliveries * SENT_BYTES) / GB - 100) * monthlyPrices.sentGb,
  secrets: counts.secrets * monthlyPrices.secret,
});

const dollars = (amount: number): string => (amount >= 100 ? amount.toFixed(0) : amount.toFixed(2));

/** The table as it stands in docs/deploying.md. */
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
