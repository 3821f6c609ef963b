import type { Statement } from './statements.ts';
import type { Use } from './uses.ts';

/** A permission that no test can use, and the reason why roles must grant it. Names may contain `*`. */
export interface Exception {
  readonly functionName: string;
  readonly actions: readonly string[];
  readonly resource: string;
  /** The exception covers only permissions that require this service (`kms:ViaService`). */
  readonly through?: string;
  readonly reason: string;
}

export interface Judgement {
  /** Calls that the function's role does not allow. */
  readonly lacks: readonly string[];
  /** Permissions that no call used. */
  readonly surpluses: readonly string[];
  /** Exceptions that cover no permission. */
  readonly idleExceptions: readonly string[];
}

/** IAM's `StringLike`: `*` matches any text, `?` one character. */
export const isLike = (value: string, pattern: string): boolean => {
  const source = pattern
    .replaceAll(/[\\^$.|+()[\]{}]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${source}$`, 's').test(value);
};

const covers = (statement: Statement, use: Use): boolean =>
  statement.functionName === use.functionName &&
  statement.actions.includes(use.action) &&
  statement.resources.some((resource) => isLike(use.resource, resource)) &&
  (statement.through === null || statement.through === use.through) &&
  // `ForAllValues` is also true for a call without leading keys.
  use.leadingKeys.every((key) => statement.leadingKeys?.some((pattern) => isLike(key, pattern)) ?? true);

const allows = (statement: Statement, use: Use): boolean => statement.effect === 'Allow' && covers(statement, use);
const denies = (statement: Statement, use: Use): boolean => statement.effect === 'Deny' && covers(statement, use);

/** Splits a statement into single permissions: one action on one resource, for one pattern of leading keys. */
const permissionsOf = (statement: Statement) =>
  statement.actions.flatMap((action) =>
    statement.resources.flatMap((resource) =>
      (statement.leadingKeys ?? [null]).map((pattern) => ({ statement, action, resource, pattern })),
    ),
  );

const describe = (
  { functionName, through }: { readonly functionName: string; readonly through?: string | null },
  action: string,
  resource: string,
  keys: readonly string[],
): string => {
  const rows = keys.length === 0 ? '' : ` of ${keys.join(', ')}`;
  return `${functionName}: ${action} on ${resource}${rows}${through ? ` through ${through}` : ''}`;
};

/** Compares the calls of functions with the permissions of their roles, in both directions. */
export const judge = (
  statements: readonly Statement[],
  uses: readonly Use[],
  exceptions: readonly Exception[],
): Judgement => {
  const lacks = uses
    .filter(
      (use) =>
        !statements.some((statement) => allows(statement, use)) ||
        statements.some((statement) => denies(statement, use)),
    )
    .map((use) => describe(use, use.action, use.resource, use.leadingKeys));

  const unused = statements
    .filter(({ effect }) => effect === 'Allow')
    .flatMap(permissionsOf)
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
    .filter((permission) => !exceptions.some((exception) => excuses(exception, permission)))
    .map(
      ({ statement, action, resource, pattern }) =>
        `${describe(statement, action, resource, pattern === null ? [] : [pattern])} (${statement.place})`,
    );

  const idleExceptions = exceptions.flatMap((exception) =>
    exception.actions
      .filter((action) => !unused.some((permission) => permission.action === action && excuses(exception, permission)))
      .map((action) => describe(exception, action, exception.resource, [])),
  );
  return { lacks: [...new Set(lacks)].toSorted(), surpluses, idleExceptions };
};
