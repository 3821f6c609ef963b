import * as z from 'zod';
import { type IdPrefix, isId } from './id.ts';

/** A place in a list: after the item with this time (RFC 3339; empty where the id alone orders) and id. */
export interface Position {
  readonly at: string;
  readonly id: string;
}

/** One page of a list, and where the next begins; `null` is the end. */
export interface Page<T> {
  readonly items: readonly T[];
  readonly next: Position | null;
}

export const positionToCursor = (position: Position): string =>
  Buffer.from(`${position.at}|${position.id}`).toString('base64url');

const CURSOR = /^(?<at>|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)\|(?<id>[\x21-\x7e]{1,128})$/;

/** The position, or null where the text was never a cursor of a list of such ids. */
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
    description: 'How many items at most.',
    override: { type: 'integer', minimum: 1, maximum: 100, default: 20 },
  });

/** The members every list's query has: `z.strictObject({ …, ...pageQuery('tsk') })`. */
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
    .meta({ description: 'The `next_cursor` of the page before.', override: { type: 'string', maxLength: 300 } }),
});

/** An offset may lead out of the years that a text of four digits holds, and nothing here is older than the epoch. */
const EARLIEST_MS = 0;
const LATEST_MS = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

/** RFC 3339 in a query, as milliseconds. */
export const instantSchema = z.iso
  .datetime({ offset: true })
  .transform((text) => Math.min(Math.max(Date.parse(text), EARLIEST_MS), LATEST_MS))
  .meta({ override: { type: 'string', format: 'date-time' } });

/** What a list answers. */
export const pageSchema = <T extends z.ZodType>(item: T) =>
  z.object({
    data: z.array(item),
    next_cursor: z.string().nullable().meta({ description: 'Where the next page begins; null is the end.' }),
  });

/** A page as it is answered. */
export const pageToBody = <T, B>(page: Page<T>, show: (item: T) => B): { data: B[]; next_cursor: string | null } => ({
  data: page.items.map(show),
  next_cursor: page.next && positionToCursor(page.next),
});
