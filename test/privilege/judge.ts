import type { Statement } from './statements.ts';
import type { Use } from './uses.ts';

/** Something allowed that no test can use, or need not, and why. Names may hold `*`. */
export interface Exception {
  readonly functionName: string;
  readonly actions: readonly string[];
  readonly resource: string;
  readonly reason: string;
}

export interface Verdict {
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

const allows = (statement: Statement, use: Use): boolean =>
  statement.functionName === use.functionName &&
  statement.actions.includes(use.action) &&
  statement.resources.some((resource) => isLike(use.resource, resource)) &&
  // `ForAllValues`: true where there is no value, too.
  use.leadingKeys.every((key) => statement.leadingKeys?.some((pattern) => isLike(key, pattern)) ?? true);

/** The smallest things that a statement allows: one action on one resource, for one pattern of leading keys. */
const allowancesOf = (statement: Statement) =>
  statement.actions.flatMap((action) =>
    statement.resources.flatMap((resource) =>
      (statement.leadingKeys ?? [null]).map((pattern) => ({ statement, action, resource, pattern })),
    ),
  );

const say = (functionName: string, action: string, resource: string, keys: readonly string[] | null): string =>
  `${functionName}: ${action} on ${resource}${keys === null || keys.length === 0 ? '' : ` of ${keys.join(', ')}`}`;

/** Holds what was called against what is allowed, both ways. */
export const judge = (
  statements: readonly Statement[],
  uses: readonly Use[],
  exceptions: readonly Exception[],
): Verdict => {
  const lacks = uses
    .filter((use) => !statements.some((statement) => allows(statement, use)))
    .map(({ functionName, action, resource, leadingKeys }) => say(functionName, action, resource, leadingKeys));

  const unused = statements
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
    isLike(resource, exception.resource);
  const surpluses = unused
    .filter((one) => !exceptions.some((exception) => excuses(exception, one)))
    .map(
      ({ statement, action, resource, pattern }) =>
        `${say(statement.functionName, action, resource, pattern === null ? null : [pattern])} (${statement.place})`,
    );

  const idleExceptions = exceptions.flatMap((exception) =>
    exception.actions
      .filter((action) => !unused.some((one) => one.action === action && excuses(exception, one)))
      .map((action) => say(exception.functionName, action, exception.resource, null)),
  );
  return { lacks: [...new Set(lacks)].toSorted(), surpluses, idleExceptions };
};
