import { hasExpired } from '../../domain/foundation/time.ts';
import type { Key } from './table-keys.ts';

/** A row as DynamoDB stores it: without the fields that are null or undefined. */
export const rowOf = (fields: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null && value !== undefined));

/** Whether a row has expired: DynamoDB deletes it later. A row without `ttl` never expires. */
export const isExpired = ({ ttl }: Readonly<Record<string, unknown>>, nowMs: number): boolean =>
  typeof ttl === 'number' && hasExpired(ttl, nowMs);

/** An update of one row, made only while the row holds the expected values. */
export interface RowUpdate {
  readonly key: Key;
  /** Null and undefined values are left out: those attributes stay as they are. */
  readonly set: Readonly<Record<string, unknown>>;
  readonly expected: Readonly<Record<string, unknown>>;
  /** The one attribute to remove. The engines differ for a second one. */
  readonly remove?: string;
  /** Further attributes to end: they are set to null. */
  readonly cleared?: readonly string[];
}
