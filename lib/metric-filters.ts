import type { Unit } from 'aws-cdk-lib/aws-cloudwatch';
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { FilterPattern, type JsonPattern, MetricFilter } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import { type CountedMeasure, counted, metricNamespace } from '../lambdas/runtime/metric-names.ts';
import type { Delivery } from './delivery.ts';
import type { FanOut } from './fan-out.ts';
import type { PublicApi } from './public-api.ts';

/** How log lines become values of one metric. */
interface LineMetric {
  /** Name of the log lines that the metric reads. */
  readonly line: 'delivery.attempted' | 'records.fanned-out' | 'request.answered';
  /** Conditions that a log line must meet. */
  readonly when: readonly JsonPattern[];
  /** Value that one log line adds to the metric: a number, or the path of a field. */
  readonly value: string;
}

const countOf = (outcome: string): LineMetric => ({
  line: 'delivery.attempted',
  when: [FilterPattern.stringValue('$.outcome', '=', outcome)],
  value: '1',
});
const field = (line: LineMetric['line'], name: string, ...more: readonly JsonPattern[]): LineMetric => ({
  line,
  when: [FilterPattern.numberValue(`$.${name}`, '>=', 0), ...more],
  value: `$.${name}`,
});
const isFirst = FilterPattern.numberValue('$.attempt', '=', 1);
const isLater = FilterPattern.numberValue('$.attempt', '>', 1);

const lineMetrics: Readonly<Record<CountedMeasure, LineMetric>> = {
  delivered: countOf('delivered'),
  refused: countOf('refused'),
  dead: countOf('dead'),
  gone: countOf('gone'),
  firstAttemptMs: field('delivery.attempted', 'lateness_ms', isFirst),
  latenessMs: field('delivery.attempted', 'lateness_ms', isLater),
  receiverMs: field('delivery.attempted', 'duration_ms'),
  events: field('records.fanned-out', 'events'),
  fannedOut: field('records.fanned-out', 'deliveries'),
  unauthorized: {
    line: 'request.answered',
    when: [FilterPattern.numberValue('$.status', '=', 401)],
    value: '1',
  },
};

/**
 * Creates metric filters on the log lines that functions write for every event, every delivery and every call. Extra lines in
 * embedded metric format would make up a third of the log of a single delivery, and 5 % of its cost.
 */
export const createMetricFilters = (
  scope: Construct,
  { delivery, fanOut, api }: { readonly delivery: Delivery; readonly fanOut: FanOut; readonly api: PublicApi },
): void => {
  const service = { service: '$.service' };
  const sources = {
    'delivery.attempted': {
      functions: [delivery.deliver],
      dimensions: [service, { ...service, profile: '$.profile' }],
    },
    'records.fanned-out': { functions: [fanOut.fanOut], dimensions: [service] },
    'request.answered': { functions: api.keyedFunctions, dimensions: [service] },
  } satisfies Record<
    LineMetric['line'],
    { functions: readonly LambdaFunction[]; dimensions: Record<string, string>[] }
  >;
  for (const [measure, { line, when, value }] of Object.entries(lineMetrics)) {
    const [metricName, unit] = counted[measure as CountedMeasure];
    const { functions, dimensions } = sources[line];
    for (const [set, fn] of dimensions.flatMap((set) => functions.map((fn) => [set, fn] as const))) {
      const suffix = functions.length > 1 ? [fn.node.id] : [];
      new MetricFilter(scope, [metricName, ...Object.keys(set), ...suffix].join('-'), {
        logGroup: fn.logGroup,
        filterPattern: FilterPattern.all(FilterPattern.stringValue('$.name', '=', line), ...when),
        metricNamespace,
        metricName,
        metricValue: value,
        dimensions: set,
        unit: unit as Unit,
      });
    }
  }
};
