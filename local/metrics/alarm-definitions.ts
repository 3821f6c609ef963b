import type { Resolve } from '../template/intrinsics.ts';
import { type Assembly, type Resource, resourcesOf } from '../template/template.ts';
import { metricMath } from './metric-math.ts';
import { isStatistic, type MetricName, type Statistic } from './metric-store.ts';

export interface MetricQuery {
  readonly metric: MetricName;
  readonly statistic: Statistic;
  readonly minutes: number;
}

/** An alarm of the template, parsed for evaluation. */
export interface AlarmDefinition {
  readonly name: string;
  readonly queries: ReadonlyMap<string, MetricQuery>;
  readonly expressions: ReadonlyMap<string, ReturnType<typeof metricMath>>;
  /** The id of the query or expression that is compared with the threshold. */
  readonly watched: string;
  /** Length of one evaluation period, in minutes. */
  readonly minutes: number;
  /** Number of the latest periods that one evaluation compares with the threshold. */
  readonly periods: number;
  /** Number of the evaluated periods that must breach the threshold for the state ALARM. */
  readonly toAlarm: number;
  readonly comparison: (value: number, threshold: number) => boolean;
  /** The alarm's threshold: a fixed number, or a number of standard deviations above the usual value. */
  readonly threshold: number | { readonly deviations: number };
  readonly missing: 'breaching' | 'notBreaching' | 'ignore' | 'missing';
}

interface MetricProperties {
  readonly Namespace?: string;
  readonly MetricName?: string;
  readonly Dimensions?: readonly { readonly Name: string; readonly Value: string }[];
}

interface DataQuery {
  readonly Id: string;
  readonly Expression?: string;
  readonly MetricStat?: { readonly Metric: MetricProperties; readonly Stat: string; readonly Period: number };
  readonly ReturnData?: boolean;
}

interface AlarmProperties extends MetricProperties {
  readonly Statistic?: string;
  readonly ExtendedStatistic?: string;
  readonly Period?: number;
  readonly Metrics?: readonly DataQuery[];
  readonly Threshold?: number;
  readonly ThresholdMetricId?: string;
  readonly ComparisonOperator: string;
  readonly EvaluationPeriods: number;
  readonly DatapointsToAlarm?: number;
  readonly TreatMissingData?: string;
}

const comparisons: Readonly<Record<string, AlarmDefinition['comparison']>> = {
  GreaterThanThreshold: (value, threshold) => value > threshold,
  GreaterThanOrEqualToThreshold: (value, threshold) => value >= threshold,
  LessThanThreshold: (value, threshold) => value < threshold,
  LessThanOrEqualToThreshold: (value, threshold) => value <= threshold,
  GreaterThanUpperThreshold: (value, threshold) => value > threshold,
};

/**
 * Names of the metrics that the local stack measures, by CloudWatch namespace; `null` means every metric of the
 * namespace.
 */
const measuredMetrics: Readonly<Record<string, readonly string[] | null>> = {
  PassPost: null,
  'AWS/Lambda': ['Invocations', 'Errors', 'Throttles', 'Duration', 'IteratorAge'],
  'AWS/SQS': [
    'ApproximateNumberOfMessagesVisible',
    'ApproximateNumberOfMessagesNotVisible',
    'ApproximateNumberOfMessagesDelayed',
    'ApproximateAgeOfOldestMessage',
  ],
  'AWS/ApiGateway': ['Count', '4xx', '5xx'],
  'AWS/Usage': ['ResourceCount'],
};

const queryOf = (metric: MetricProperties, stat: string | undefined, period = 60): MetricQuery => {
  const { Namespace: namespace = '', MetricName: name = '', Dimensions = [] } = metric;
  const names = measuredMetrics[namespace];
  if (names === undefined || names?.includes(name) === false) {
    throw new Error(`the local stack does not measure ${namespace} ${name}`);
  }
  if (!isStatistic(stat)) throw new Error(`the local stack does not know the statistic ${stat}`);
  const dimensions = Object.fromEntries(Dimensions.map(({ Name, Value }) => [Name, String(Value)]));
  return { metric: { namespace, name, dimensions }, statistic: stat, minutes: period / 60 };
};

const BAND = /^ANOMALY_DETECTION_BAND\((\w+), *([\d.]+)\)$/;

const definitionOf = (name: string, properties: AlarmProperties): AlarmDefinition => {
  const { Metrics = [], ThresholdMetricId } = properties;
  const queries = new Map<string, MetricQuery>();
  const expressions = new Map<string, ReturnType<typeof metricMath>>();
  let watched = 'metric';
  if (Metrics.length === 0)
    queries.set(watched, queryOf(properties, properties.Statistic ?? properties.ExtendedStatistic, properties.Period));
  for (const { Id, Expression, MetricStat, ReturnData = true } of Metrics) {
    if (Id === ThresholdMetricId) continue;
    if (MetricStat) queries.set(Id, queryOf(MetricStat.Metric, MetricStat.Stat, MetricStat.Period));
    else expressions.set(Id, metricMath(Expression ?? ''));
    if (ReturnData) watched = Id;
  }
  const band = BAND.exec(Metrics.find(({ Id }) => Id === ThresholdMetricId)?.Expression ?? '');
  if (ThresholdMetricId !== undefined && band?.[1] !== watched)
    throw new Error('its anomaly band is not on the metric that is compared');
  const comparison = comparisons[properties.ComparisonOperator];
  if (!comparison) throw new Error(`the local stack does not know ${properties.ComparisonOperator}`);
  return {
    name,
    queries,
    expressions,
    watched,
    minutes: Math.max(...[...queries.values()].map(({ minutes }) => minutes)),
    periods: properties.EvaluationPeriods,
    toAlarm: properties.DatapointsToAlarm ?? properties.EvaluationPeriods,
    comparison,
    threshold: band ? { deviations: Number(band[2]) } : (properties.Threshold ?? 0),
    missing: (properties.TreatMissingData ?? 'missing') as AlarmDefinition['missing'],
  };
};

/**
 * Reads the template's alarms. `unknown` has one line, with name and reason, for each alarm that the local stack cannot
 * evaluate.
 */
export const alarmDefinitions = (
  assembly: Assembly,
  resolve: Resolve,
): { readonly alarms: readonly AlarmDefinition[]; readonly unknown: readonly string[] } => {
  const alarms: AlarmDefinition[] = [];
  const unknown: string[] = [];
  const read = ({ name, properties }: Resource): void => {
    try {
      alarms.push(definitionOf(name, resolve(properties) as AlarmProperties));
    } catch (error) {
      unknown.push(`${name}: ${(error as Error).message}`);
    }
  };
  for (const resource of resourcesOf(assembly, 'AWS::CloudWatch::Alarm')) read(resource);
  for (const { name } of resourcesOf(assembly, 'AWS::CloudWatch::CompositeAlarm'))
    unknown.push(`${name}: it is a composite alarm`);
  return { alarms, unknown };
};
