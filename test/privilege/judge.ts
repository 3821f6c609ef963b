import type { Statement } from './statements.ts';
import type { Use } from './uses.ts';

/** Something allowed that no test can use, or need not, and why. Names may hold `*`. */
export interface Exception {
  readonly functionName: string;
  readonly actions: readonly string[];
  readonly resource: string;
  /** Only of what is allowed through this service. */
  readonly through?: string;
  readonly reason: string;
}

export interface Triage {
  /** Calls that their function's role does not allow. */
  readonly lacks: readonly string[];
  /** What a role allows and nobody used. */
  readonly surpluses: readonly string[];
  /** Exceptions that excuse nothing. */
  readonly idleExceptions: readonly string[];
}

/** IAM's `StringLike`: `*` is any text, `?` one character. */
export const isLike = (value: string, pattern: string): boolean => {
  const source = pattern
    .replaceAll(/[\\^$.|+()[\]{}]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${source}$`, 's').test(value);
};

const isAbout = (statement: Statement, use: Use): boolean =>
  statement.functionName === use.functionName &&
  statement.actions.includes(use.action) &&
  statement.resources.some((resource) => isLike(use.resource, resource)) &&
  (statement.through === null || statement.through === use.through) &&
  // `ForAllValues`: true where there is no value, too.
  use.leadingKeys.every((key) => statement.leadingKeys?.some((pattern) => isLike(key, pattern)) ?? true);

const allows = (statement: Statement, use: Use): boolean => statement.effect === 'Allow' && isAbout(statement, use);
const denies = (statement: Statement, use: Use): boolean => statement.effect === 'Deny' && isAbout(statement, use);

/** The smallest things that a statement allows: one action on one resource, for one pattern of leading keys. */
const allowancesOf = (statement: Statement) =>
  statement.actions.flatMap((action) =>
    statement.resources.flatMap((resource) =>
      (statement.leadingKeys ?? [null]).map((pattern) => ({ statement, action, resource, pattern })),
    ),
  );

const say = (
  { functionName, through }: { readonly functionName: string; readonly through?: string | null },
  action: string,
  resource: string,
  keys: readonly string[],
): string => {
  const of = keys.length === 0 ? '' : ` of ${keys.join(', ')}`;
  return `${functionName}: ${action} on ${resource}${of}${through ? ` through ${through}` : ''}`;
};

/** Holds what was called against what is allowed, both ways. */
export const judge = (
  statements: readonly Statement[],
  uses: readonly Use[],
  exceptions: readonly Exception[],
): Triage => {
  const lacks = uses
    .filter(
      (use) =>
        !statements.some((statement) => allows(statement, use)) ||
        statements.some((statement) => denies(statement, use)),
    )
    .map((use) => say(use, use.action, use.resource, use.leadingKeys));

  const unused = statements
    .filter(({ effect }) => effect === 'Allow')
    .flatMap(allowancesOf)
    .filter(
      ({ statement, action, resource, pattern }) =>
        !uses.some(
          (use) =>
            use.action === action &&
            isLike(use.resource, resource) &&
            allows(statement, use) &&
            (pattern === null || use.leadingKeys.some((key) => isLike(key, pattern))),
        ),
    );
  const excuses = (exception: Exception, { statement, action, resource }: (typeof unused)[number]): boolean =>
    isLike(statement.functionName, exception.functionName) &&
    exception.actions.includes(action) &&
    (exception.through ?? null) === statement.through &&
    isLike(resource, exception.resource);
  const surpluses = unused
    .filter((one) => !exceptions.some((exception) => excuses(exception, one)))
    .map(
      ({ statement, action, resource, pattern }) =>
        `${say(statement, action, resource, pattern === null ? [] : [pattern])} (${statement.place})`,
    );

  const idleExceptions = exceptions.flatMap((exception) =>
    exception.actions
      .filter((action) => !unused.some((one) => one.action === action && excuses(exception, one)))
      .map((action) => say(exception, action, exception.resource, [])),
  );
  return { lacks: [...new Set(lacks)].toSorted(), surpluses, idleExceptions };
};
