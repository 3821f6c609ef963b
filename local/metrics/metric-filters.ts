import type { Resolve } from '../template/intrinsics.ts';
import { type Assembly, resourcesOf } from '../template/template.ts';
import type { MetricName } from './metric-store.ts';

type Fields = Readonly<Record<string, unknown>>;

/** One value that a metric filter reads from a log line. */
export interface Reading {
  readonly metric: MetricName;
  readonly value: number;
  readonly unit: string | undefined;
}

interface FilterProperties {
  readonly FilterPattern: string;
  readonly LogGroupName: string;
  readonly MetricTransformations: readonly {
    readonly MetricNamespace: string;
    readonly MetricName: string;
    readonly MetricValue: string;
    readonly Dimensions?: readonly { readonly Key: string; readonly Value: string }[];
    readonly Unit?: string;
  }[];
}

const TERM = /^\(?\$\.(\w+) (=|>|>=) (?:"([^"*]*)"|(\d+))\)?$/;

/**
 * Parses one comparison of a filter pattern, for example `$.name = "x"`, and returns a predicate for a log line's
 * fields. Throws for syntax that the template's filters do not use.
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html
 */
const termOf = (text: string): ((fields: Fields) => boolean) => {
  const [, name = '', operator, string, number] = TERM.exec(text) ?? [];
  if (operator === undefined) throw new Error(`the local stack does not understand "${text}"`);
  if (string !== undefined) return (fields) => fields[name] === string;
  return ({ [name]: value }) =>
    typeof value === 'number' &&
    ((operator !== '>' && value === Number(number)) || (operator !== '=' && value > Number(number)));
};

const patternOf = (pattern: string): ((fields: Fields) => boolean) => {
  const terms = pattern
    .replace(/^\{ | \}$/g, '')
    .split(' && ')
    .map(termOf);
  return (fields) => terms.every((isTrue) => isTrue(fields));
};

/** Returns the value of `$.field` or of a literal number; NaN if the field is not a number. */
const numberOf = (selector: string, fields: Fields): number => {
  const value = selector.startsWith('$.') ? fields[selector.slice(2)] : Number(selector);
  return typeof value === 'number' ? value : Number.NaN;
};

const readerOf = ({ FilterPattern, MetricTransformations }: FilterProperties) => {
  const matches = patternOf(FilterPattern);
  return (fields: Fields): Reading[] =>
    matches(fields)
      ? MetricTransformations.map(({ MetricNamespace, MetricName, MetricValue, Dimensions = [], Unit }) => ({
          metric: {
            namespace: MetricNamespace,
            name: MetricName,
            dimensions: Object.fromEntries(Dimensions.map(({ Key, Value }) => [Key, String(fields[Value.slice(2)])])),
          },
          value: numberOf(MetricValue, fields),
          unit: Unit,
        })).filter(({ value }) => !Number.isNaN(value))
      : [];
};

export interface MetricFilters {
  read(functionName: string, fields: Fields): readonly Reading[];
  /** One line, with name and reason, for each metric filter that the local stack cannot apply. */
  readonly unknown: readonly string[];
}

/** Creates a reader that applies the template's metric filters to the functions' log lines. */
export const metricFilters = (assembly: Assembly, resolve: Resolve): MetricFilters => {
  const groupOf = new Map(
    resourcesOf(assembly, 'AWS::Lambda::Function').map(({ name, properties }) => {
      const { LogGroup } = resolve(properties.LoggingConfig ?? {}) as { LogGroup?: string };
      return [name, LogGroup];
    }),
  );
  const unknown: string[] = [];
  const readers = resourcesOf(assembly, 'AWS::Logs::MetricFilter').flatMap(({ name, properties }) => {
    const filter = resolve(properties) as FilterProperties;
    try {
      return [{ group: filter.LogGroupName, read: readerOf(filter) }];
    } catch (error) {
      unknown.push(`${name}: ${(error as Error).message}`);
      return [];
    }
  });
  return {
    unknown,
    read: (functionName, fields) =>
      readers.flatMap(({ group, read }) => (group === groupOf.get(functionName) ? read(fields) : [])),
  };
};
