type Pattern = Readonly<Record<string, unknown>>;

/**
 * The operators of event filters by name. Each operator returns whether a record's value meets the operator's argument.
 * https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventfiltering.html
 */
const operators: Readonly<Record<string, (value: unknown, argument: unknown) => boolean>> = {
  exists: (value, argument) => (value !== undefined) === argument,
  prefix: (value, argument) => typeof value === 'string' && value.startsWith(String(argument)),
  suffix: (value, argument) => typeof value === 'string' && value.endsWith(String(argument)),
  'equals-ignore-case': (value, argument) =>
    typeof value === 'string' && value.toLowerCase() === String(argument).toLowerCase(),
  'anything-but': (value, argument) =>
    value !== undefined &&
    !(Array.isArray(argument) ? argument : [argument]).some((excluded) => meets(value, excluded)),
};

const meets = (value: unknown, rule: unknown): boolean => {
  if (typeof rule !== 'object' || rule === null) return value === rule;
  return Object.entries(rule).every(([name, argument]) => {
    const operator = operators[name];
    if (!operator) throw new Error(`The template's filter uses ${name}, which the local stack does not know.`);
    return operator(value, argument);
  });
};

const matches = (value: unknown, pattern: Pattern): boolean =>
  Object.entries(pattern).every(([name, rule]) => {
    const inner = typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
    if (Array.isArray(rule)) return rule.some((alternative) => meets(inner, alternative));
    return matches(inner, rule as Pattern);
  });

/**
 * Returns a predicate for a mapping's `FilterCriteria`. A record passes if it matches one of the patterns, or if there
 * is no pattern.
 */
export const createFilter = (criteria: unknown): ((record: unknown) => boolean) => {
  const { Filters = [] } = (criteria ?? {}) as { Filters?: readonly { Pattern: string }[] };
  const patterns = Filters.map(({ Pattern }) => JSON.parse(Pattern) as Pattern);
  return (record) => patterns.length === 0 || patterns.some((pattern) => matches(record, pattern));
};
