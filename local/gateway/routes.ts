export interface Route<T> {
  /** The route's method and path, for example `ANY /tasks/{proxy+}`, or `$default`. */
  readonly key: string;
  readonly target: T;
}

export interface RouteMatch<T> {
  readonly key: string;
  readonly target: T;
  readonly pathParameters: Readonly<Record<string, string>> | undefined;
}

interface Pattern<T> extends Route<T> {
  readonly method: string;
  readonly segments: readonly string[];
  readonly isGreedy: boolean;
}

const parse = <T>(route: Route<T>): Pattern<T> => {
  const [method = '', path = ''] = route.key.split(' ');
  const segments = path.split('/').slice(1);
  return { ...route, method, segments, isGreedy: /^\{[^}]+\+\}$/.test(segments.at(-1) ?? '') };
};

const parameterName = (segment: string): string | undefined => /^\{([^}+]+)\+?\}$/.exec(segment)?.[1];

/**
 * Orders two route patterns by priority. First comes the path without a greedy end, then the path whose first different
 * segment is literal, then the longer path, then the pattern with a named method instead of `ANY`.
 */
const compare = <T>(a: Pattern<T>, b: Pattern<T>): number => {
  if (a.isGreedy !== b.isGreedy) return a.isGreedy ? 1 : -1;
  for (const [index, segment] of a.segments.entries()) {
    const other = b.segments[index];
    if (other === undefined) break;
    const isParameter = parameterName(segment) !== undefined;
    if (isParameter !== (parameterName(other) !== undefined)) return isParameter ? 1 : -1;
  }
  if (a.segments.length !== b.segments.length) return b.segments.length - a.segments.length;
  return Number(a.method === 'ANY') - Number(b.method === 'ANY');
};

const parametersOf = <T>(
  { segments, isGreedy }: Pattern<T>,
  path: readonly string[],
): Record<string, string> | null => {
  if (isGreedy ? path.length < segments.length : path.length !== segments.length) return null;
  const parameters: Record<string, string> = {};
  for (const [index, segment] of segments.entries()) {
    const name = parameterName(segment);
    const isGreedySegment = isGreedy && index === segments.length - 1;
    const value = isGreedySegment ? path.slice(index).join('/') : (path[index] ?? '');
    if (name === undefined ? segment !== value : value === '') return null;
    if (name !== undefined) parameters[name] = value;
  }
  return parameters;
};

/**
 * Creates a function that finds the route of a request in API Gateway's order: full match, greedy match, `$default`.
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-routes.html
 */
export const createRouteTable = <T>(
  routes: readonly Route<T>[],
): ((method: string, path: string) => RouteMatch<T> | undefined) => {
  const fallback = routes.find(({ key }) => key === '$default');
  const patterns = routes
    .filter(({ key }) => key !== '$default')
    .map(parse)
    .sort(compare);

  return (method, path) => {
    const segments = path.split('/').slice(1);
    for (const pattern of patterns) {
      if (pattern.method !== 'ANY' && pattern.method !== method) continue;
      const parameters = parametersOf(pattern, segments);
      if (!parameters) continue;
      const pathParameters = Object.keys(parameters).length > 0 ? parameters : undefined;
      return { key: pattern.key, target: pattern.target, pathParameters };
    }
    return fallback && { key: fallback.key, target: fallback.target, pathParameters: undefined };
  };
};
