import { notFound, PassPostError } from '../domain/foundation/errors.ts';
import { isId } from '../domain/foundation/id.ts';
import { nounByIdPrefix } from '../domain/foundation/resources.ts';
import type { Operation, Route } from './operation.ts';

export interface Match {
  readonly route: Route;
  readonly params: Readonly<Record<string, string>>;
}

const isParameter = (segment: string): boolean => segment.startsWith('{');

const matchPath = (operation: Operation, requested: readonly string[]): Record<string, string> | null => {
  const segments = operation.path.split('/');
  if (segments.length !== requested.length) return null;
  const params: Record<string, string> = {};
  for (const [i, segment] of segments.entries()) {
    const value = requested[i] ?? '';
    if (!isParameter(segment)) {
      if (segment !== value) return null;
      continue;
    }
    if (value === '') return null;
    params[segment.slice(1, -1)] = value;
  }
  return params;
};

/** Returns the methods that reach an operation: HEAD is answered wherever GET is. */
const methodsOf = ({ method }: Operation): readonly string[] => (method === 'GET' ? ['GET', 'HEAD'] : [method]);

/**
 * Returns a function that finds the route of a method and path. The gateway has decoded the path already, so a percent
 * sign in it is a percent sign. The function throws 404 if no route has the path, then
 * 405 if none of its routes has the method.
 */
export const router = (routes: readonly Route[]): ((method: string, path: string) => Match) => {
  // Sorts routes with few parameters first, so that a literal segment has precedence over a parameter at the same
  // position.
  const parameters = ({ operation }: Route): number => operation.path.split('{').length;
  const ordered = routes.toSorted((a, b) => parameters(a) - parameters(b));
  return (method, path) => {
    const requested = path.split('/');
    const matches = ordered.flatMap((route) => {
      const params = matchPath(route.operation, requested);
      return params ? [{ route, params }] : [];
    });
    const first = matches[0]?.route.operation.path;
    if (first === undefined) throw notFound('path');
    const here = matches.filter(({ route }) => route.operation.path === first);
    const match = here.find(({ route }) => methodsOf(route.operation).includes(method));
    if (!match) {
      const allow = here.flatMap(({ route: { operation } }) => methodsOf(operation)).join(', ');
      throw new PassPostError('method_not_allowed', `This path accepts ${allow}.`, { headers: { allow } });
    }
    const { idPrefix } = match.route.operation;
    if (idPrefix && !isId(idPrefix, match.params.id ?? '')) throw notFound(nounByIdPrefix[idPrefix]);
    return match;
  };
};
