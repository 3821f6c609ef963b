import * as z from 'zod';
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

/** Encodes a position in a list as the text of `next_cursor`. */
export const positionToCursor = (position: Position): string =>
  Buffer.from(`${position.at}|${position.id}`).toString('base64url');

const CURSOR = /^(?<at>|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)\|(?<id>[\x21-\x7e]{1,128})$/;

/**
 * Returns the position in a list that a cursor encodes. `null` if the text is not a cursor of a list with ids of this
 * prefix.
 */
export const cursorToPosition = (text: string, prefix: IdPrefix | null): Position | null => {
  const { at = '', id = '' } = CURSOR.exec(Buffer.from(text, 'base64url').toString('latin1'))?.groups ?? {};
  if (id === '' || (prefix !== null && !isId(prefix, id))) return null;
  if (at !== '' && Number.isNaN(Date.parse(at))) return null;
  return { at, id };
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
    .transform((text, context) => {
      const position = cursorToPosition(text, prefix);
      if (position) return position;
      context.issues.push({ code: 'custom', input: text, message: 'Not a cursor of this list.' });
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

/** Returns a page of a list as a response body. */
export const pageToBody = <T, B>(page: Page<T>, show: (item: T) => B): { data: B[]; next_cursor: string | null } => ({
  data: page.items.map(show),
  next_cursor: page.next && positionToCursor(page.next),
});
