import type { Table } from 'aws-cdk-lib/aws-dynamodb';
import { partitions, prefixes } from '../lambdas/adapters/rows/key-names.ts';
import type { Permission } from './lambda-function.ts';

/** Patterns of partition keys: of all rows of a kind, or of the one partition that a kind has. */
export const keys = {
  ...(Object.fromEntries(Object.entries(prefixes).map(([kind, prefix]) => [kind, `${prefix}*`])) as Record<
    keyof typeof prefixes,
    string
  >),
  ...partitions,
};

/**
 * Returns the permission for actions on those rows of a table whose partition keys match a pattern. IAM checks a
 * transaction as the single calls that it contains, and each PartiQL statement by itself. AWS documents the condition
 * on partition keys for plain calls. PartiQL statements have it, too: where IAM knows no partition key of a call,
 * `ForAllValues` is true.
 */
export const rowPermission = (table: Table, names: readonly string[], leadingKeys: readonly string[]): Permission => ({
  actions: names.map((name) => `dynamodb:${name}`),
  resources: [table.tableArn],
  leadingKeys,
});

/** Returns the permission to query an index of a table. */
export const indexPermission = (table: Table, name: string): Permission => ({
  actions: ['dynamodb:Query'],
  resources: [`${table.tableArn}/index/${name}`],
});
