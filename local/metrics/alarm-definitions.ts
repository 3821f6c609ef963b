import type { Resolve } from '../template/intrinsics.ts';
import { type Assembly, type Resource, resourcesOf } from '../template/template.ts';
import { metricMath } from './metric-math.ts';
import { isStatistic, type MetricName, type Statistic } from './metric-store.ts';

export interface MetricQuery {
  readonly metric: MetricName;
  readonly statistic: Statistic;
  readonly minutes: number;
}

/** One of the template's alarms, ready to be evaluated. */
export interface AlarmDefinition {
  readonly name: string;
  readonly queries: ReadonlyMap<string, MetricQuery>;
  readonly expressions: ReadonlyMap<string, ReturnType<typeof metricMath>>;
  /** The id of what is compared. */
  readonly watched: string;
  readonly minutes: number;
  readonly periods: number;
  /** So many of them must breach. */
  readonly toAlarm: number;
  readonly comparison: (value: number, threshold: number) => boolean;
  /** A number, or so many standard deviations above what is usual. */
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

/** What is measured here; `null`: all of the namespace. */
const collected: Readonly<Record<string, readonly string[] | null>> = {
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
  const known = collected[namespace];
  if (known === undefined || known?.includes(name) === false) {
    throw new Error(`${namespace} ${name} is not measured here`);
  }
  if (!isStatistic(stat)) throw new Error(`the statistic ${stat} is not kept here`);
  const dimensions = Object.fromEntries(Dimensions.map(({ Name, Value }) => [Name, String(Value)]));
  return { metric: { namespace, name, dimensions }, statistic: stat, minutes: period / 60 };
};

const BAND = /^ANOMALY_DETECTION_BAND\((\w+), *([\d.]+)\)$/;

const definitionOf = (name: string, wanted: AlarmProperties): AlarmDefinition => {
  const { Metrics = [], ThresholdMetricId } = wanted;
  const queries = new Map<string, MetricQuery>();
  const expressions = new Map<string, ReturnType<typeof metricMath>>();
  let watched = 'metric';
  if (Metrics.length === 0)
    queries.set(watched, queryOf(wanted, wanted.Statistic ?? wanted.ExtendedStatistic, wanted.Period));
  for (const { Id, Expression, MetricStat, ReturnData = true } of Metrics) {
    if (Id === ThresholdMetricId) continue;
    if (MetricStat) queries.set(Id, queryOf(MetricStat.Metric, MetricStat.Stat, MetricStat.Period));
    else expressions.set(Id, metricMath(Expression ?? ''));
    if (ReturnData) watched = Id;
  }
  const band = BAND.exec(Metrics.find(({ Id }) => Id === ThresholdMetricId)?.Expression ?? '');
  if (ThresholdMetricId !== undefined && band?.[1] !== watched) throw new Error('its band is of another kind');
  const comparison = comparisons[wanted.ComparisonOperator];
  if (!comparison) throw new Error(`${wanted.ComparisonOperator} is not known here`);
  return {
    name,
    queries,
    expressions,
    watched,
    minutes: Math.max(...[...queries.values()].map(({ minutes }) => minutes)),
    periods: wanted.EvaluationPeriods,
    toAlarm: wanted.DatapointsToAlarm ?? wanted.EvaluationPeriods,
    comparison,
    threshold: band ? { deviations: Number(band[2]) } : (wanted.Threshold ?? 0),
    missing: (wanted.TreatMissingData ?? 'missing') as AlarmDefinition['missing'],
  };
};

/** The template's alarms, and by name what hinders those that cannot be evaluated here. */
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
    unknown.push(`${name}: is composite`);
  return { alarms, unknown };
};
