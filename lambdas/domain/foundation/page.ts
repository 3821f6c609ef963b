import { hash } from 'node:crypto';
import * as z from 'zod';
import type { FieldError } from './errors.ts';
import { type IdPrefix, isId } from './id.ts';

/** A position in a list: after the item with this time (RFC 3339; empty if the id alone orders the list) and id. */
export interface Position {
  readonly at: string;
  readonly id: string;
}

/** One page of a list and the position after which the next page begins. `null` = this is the last page. */
export interface Page<T> {
  readonly items: readonly T[];
  readonly next: Position | null;
}

/**
 * The list to which a cursor belongs, as one text: the owner, the call with the parameters of its path, and the filter.
 */
export type CursorScope = string;

/** Returns the part of a cursor that binds its position to its list: 96 bits of a hash. */
const seal = (scope: CursorScope, { at, id }: Position): string =>
  hash('sha256', JSON.stringify([scope, at, id]), 'base64url').slice(0, 16);

/** Encodes a position in a list as the text of `next_cursor`. */
export const positionToCursor = (position: Position, scope: CursorScope): string =>
  Buffer.from(`${position.at}|${position.id}|${seal(scope, position)}`).toString('base64url');

const CURSOR =
  /^(?<at>|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)\|(?<id>[\x21-\x7e]{1,128})\|(?<sealed>[A-Za-z0-9_-]{16})$/;

/** A position that a cursor encodes, and the part of the cursor that binds it to its list. */
interface SealedPosition extends Position {
  readonly sealed: string;
}

/**
 * Returns the position in a list that a cursor encodes. `null` if the text is not a cursor of a list with ids of this
 * prefix.
 */
export const cursorToPosition = (text: string, prefix: IdPrefix | null): SealedPosition | null => {
  const bytes = Buffer.from(text, 'base64url');
  // Base64 ignores foreign characters and spare bits: an altered text could decode to the same position.
  if (bytes.toString('base64url') !== text) return null;
  const { at = '', id = '', sealed = '' } = CURSOR.exec(bytes.toString('latin1'))?.groups ?? {};
  if (id === '' || (prefix !== null && !isId(prefix, id))) return null;
  if (at !== '' && Number.isNaN(Date.parse(at))) return null;
  return { at, id, sealed };
};

const NOT_OF_THIS_LIST = 'Not a cursor of this list with this filter.';

/** Returns the fault of a cursor that was altered, or made for another owner, list or filter; `null` if it is valid. */
export const faultOfCursor = (position: Position, scope: CursorScope): FieldError | null => {
  const isValid = 'sealed' in position && position.sealed === seal(scope, position);
  return isValid ? null : { path: 'cursor', code: 'invalid', message: NOT_OF_THIS_LIST };
};

export const limitSchema = z
  .string()
  .refine((text) => /^(?:[1-9]\d?|100)$/.test(text), 'A whole number from 1 to 100.')
  .transform(Number)
  .default(20)
  .meta({
    description: 'The most items on a page.',
    override: { type: 'integer', minimum: 1, maximum: 100, default: 20 },
  });

/** Returns the query parameters of every list: `z.strictObject({ …, ...pageQuery('tsk') })`. */
export const pageQuery = (prefix: IdPrefix | null) => ({
  limit: limitSchema,
  cursor: z
    .string()
    .max(300)
    .transform((text, context): Position => {
      const position = cursorToPosition(text, prefix);
      if (position) return position;
      context.issues.push({ code: 'custom', input: text, message: NOT_OF_THIS_LIST });
      return z.NEVER;
    })
    .optional()
    .meta({ description: 'The `next_cursor` of the previous page.', override: { type: 'string', maxLength: 300 } }),
});

/**
 * The bounds, in epoch milliseconds, of a time in a request's query or body. A time outside the bounds is moved to the
 * nearest bound: an offset can lead beyond the year 9999, and no data is older than the epoch.
 */
const EARLIEST_MS = 0;
const LATEST_MS = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

/** The schema of an RFC 3339 time in a query or a body, which is parsed to milliseconds. */
export const instantSchema = z.iso
  .datetime({ offset: true })
  .transform((text) => Math.min(Math.max(Date.parse(text), EARLIEST_MS), LATEST_MS))
  .meta({ override: { type: 'string', format: 'date-time' } });

/** Returns the schema of the response body of a list. */
export const pageSchema = <T extends z.ZodType>(item: T) =>
  z.object({
    data: z.array(item),
    next_cursor: z.string().nullable().meta({ description: 'The cursor of the next page; null on the last page.' }),
  });

/** Returns a page of a list as a response body. `scope` is the list to which the next cursor belongs. */
export const pageToBody = <T, B>(
  page: Page<T>,
  show: (item: T) => B,
  scope: CursorScope,
): { data: B[]; next_cursor: string | null } => ({
  data: page.items.map(show),
  next_cursor: page.next && positionToCursor(page.next, scope),
});
