import type { Series } from './metric-store.ts';

/** The values to which a metric math expression refers by id: series of metrics, and quotas. */
export interface MathContext {
  series(id: string): Series;
  /** Returns the account's quota for the resource that the metric with this id counts. */
  quota(id: string): number;
}

type Value = number | Series | readonly Series[];
type Node = (context: MathContext) => Value;

const TOKEN = /\s*(?:(\d+(?:\.\d+)?)|([A-Za-z]\w*)|(<=|>=|==|!=|[-+*/()[\],<>]))/y;

const tokensOf = (expression: string): string[] => {
  const tokens: string[] = [];
  TOKEN.lastIndex = 0;
  const text = expression.trim();
  while (TOKEN.lastIndex < text.length) {
    const match = TOKEN.exec(text);
    if (!match) throw new Error(`the local stack does not understand "${expression}"`);
    tokens.push(match[1] ?? match[2] ?? match[3] ?? '');
  }
  return tokens;
};

const isSeries = (value: Value): value is Series => Array.isArray(value) && !Array.isArray(value[0]);
const asSeries = (value: Value): Series => {
  if (isSeries(value)) return value;
  throw new Error('a time series is needed');
};
const listOf = (value: Value): readonly Series[] =>
  typeof value === 'number' ? [] : isSeries(value) ? [value] : value;

/**
 * Applies an arithmetic operation to the values of each period. A plain number is used for every period; a period in
 * which a value is missing is missing in the result.
 */
const each = (operate: (...values: number[]) => number, ...values: readonly Value[]): Value => {
  if (values.every((value) => typeof value === 'number')) return operate(...(values as number[]));
  const length = Math.max(...values.map((value) => (typeof value === 'number' ? 0 : asSeries(value).length)));
  return Array.from({ length }, (_, index) => {
    const parts = values.map((value) => (typeof value === 'number' ? value : asSeries(value)[index]));
    return parts.some((part) => part === undefined) ? undefined : operate(...(parts as number[]));
  });
};

const operators: Readonly<Record<string, (a: number, b: number) => number>> = {
  '+': (a, b) => a + b,
  '-': (a, b) => a - b,
  '*': (a, b) => a * b,
  '/': (a, b) => a / b,
  '<': (a, b) => Number(a < b),
  '>': (a, b) => Number(a > b),
  '<=': (a, b) => Number(a <= b),
  '>=': (a, b) => Number(a >= b),
  '==': (a, b) => Number(a === b),
  '!=': (a, b) => Number(a !== b),
};

/** Operators of metric math by precedence: the operators in the first list bind least. */
const LEVELS = [
  ['==', '!=', '<', '>', '<=', '>='],
  ['+', '-'],
  ['*', '/'],
];

/**
 * Reduces the values of several series to one value for each period. A missing value is left out; a period without any
 * value is missing in the result.
 */
const across = (reduce: (values: readonly number[]) => number, value: Value): Series => {
  const list = listOf(value);
  return Array.from({ length: list[0]?.length ?? 0 }, (_, index) => {
    const present = list.map((series) => series[index]).filter((part) => part !== undefined);
    return present.length === 0 ? undefined : reduce(present);
  });
};

const total = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0);

/**
 * The functions of metric math that the template's alarms use:
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html
 */
const functions: Readonly<Record<string, (args: readonly Value[]) => Value>> = {
  FILL: ([value = [], filler = 0]) => asSeries(value).map((part) => part ?? Number(filler)),
  IF: ([condition = 0, yes = 0, no = 0]) => each((test, a, b) => (test === 0 ? b : a), condition, yes, no),
  MAX: ([value = []]) => across((values) => Math.max(...values), value),
  MIN: ([value = []]) => across((values) => Math.min(...values), value),
  SUM: ([value = []]) => across(total, value),
  AVG: ([value = []]) => across((values) => total(values) / values.length, value),
};

const parse = (expression: string): Node => {
  const tokens = tokensOf(expression);
  let index = 0;
  const take = (token: string): void => {
    if (tokens[index++] !== token) throw new Error(`"${expression}" lacks a ${token}`);
  };
  const list = (end: string): Node[] => {
    const items: Node[] = [];
    while (tokens[index] !== end) {
      items.push(level(0));
      if (tokens[index] === ',') index++;
      else break;
    }
    take(end);
    return items;
  };

  const atom = (): Node => {
    const token = tokens[index++];
    if (token === undefined) throw new Error(`"${expression}" ends too early`);
    if (token === '(') {
      const inner = level(0);
      take(')');
      return inner;
    }
    if (token === '[') {
      const items = list(']');
      return (context) => items.map((item) => asSeries(item(context)));
    }
    if (/^\d/.test(token)) return () => Number(token);
    if (tokens[index] !== '(') return (context) => context.series(token);
    index++;
    if (token === 'SERVICE_QUOTA') {
      const id = tokens[index++] ?? '';
      take(')');
      return (context) => context.quota(id);
    }
    const perform = functions[token];
    if (!perform) throw new Error(`the local stack does not know ${token}`);
    const args = list(')');
    return (context) => perform(args.map((arg) => arg(context)));
  };

  const level = (depth: number): Node => {
    const operatorsOfLevel = LEVELS[depth];
    if (!operatorsOfLevel) return atom();
    let left = level(depth + 1);
    while (operatorsOfLevel.includes(tokens[index] ?? '')) {
      const operate = operators[tokens[index++] ?? ''] as (a: number, b: number) => number;
      const [a, b] = [left, level(depth + 1)];
      left = (context) => each(operate, a(context), b(context));
    }
    return left;
  };

  const node = level(0);
  if (index < tokens.length) throw new Error(`"${expression}" has an unexpected ${tokens[index]}`);
  return node;
};

/**
 * Parses a metric math expression and returns a function that evaluates it. Throws if the expression uses syntax or
 * functions that the local stack does not know.
 */
export const metricMath = (expression: string): ((context: MathContext) => Series) => {
  const node = parse(expression);
  return (context) => asSeries(node(context));
};
