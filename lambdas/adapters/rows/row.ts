import { hasExpired } from '../../domain/foundation/time.ts';
import type { Key } from './table-keys.ts';

/** Returns a row as DynamoDB stores it: without the fields that are null or undefined. */
export const rowOf = (fields: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null && value !== undefined));

/**
 * Returns whether a row has expired, which a read must check, because DynamoDB deletes expired rows with a delay. A row
 * without `ttl` never expires.
 */
export const isExpired = ({ ttl }: Readonly<Record<string, unknown>>, nowMs: number): boolean =>
  typeof ttl === 'number' && hasExpired(ttl, nowMs);

/** An update of one row. The update succeeds only if the row holds the expected values. */
export interface RowUpdate {
  readonly key: Key;
  /** The new values of attributes. An attribute whose value is null or undefined here stays as it is. */
  readonly set: Readonly<Record<string, unknown>>;
  readonly expected: Readonly<Record<string, unknown>>;
  /**
   * The name of the attribute that the update removes. An update removes at most one attribute, because implementations
   * of DynamoDB differ in the removal of a second attribute.
   */
  readonly remove?: string;
  /** The names of attributes that the update sets to null. */
  readonly cleared?: readonly string[];
}
