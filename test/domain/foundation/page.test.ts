import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { instantSchema, pageQuery, positionToCursor } from '../../../lambdas/domain/foundation/page.ts';

const id = 'tsk_01KA8Z3M9Q4T7V2X5B8D1F6H0J';
const query = z.strictObject(pageQuery('tsk'));

describe('the query of a list', () => {
  test('parses a limit and a cursor from positionToCursor, and has the limit 20 by default', () => {
    const position = { at: '2026-11-16T09:30:00.000Z', id };

    expect(query.parse({ limit: '100', cursor: positionToCursor(position, 'scope') })).toMatchObject({
      limit: 100,
      cursor: position,
    });
    expect(query.parse({})).toEqual({ limit: 20 });
  });

  test.each(['0', '101', '-1', '1.5', '1e1', '', ' 5', '05', 'x'])(
    'reports an error at limit for the limit %j',
    (limit) => {
      expect(query.safeParse({ limit }).error?.issues[0]?.path).toEqual(['limit']);
    },
  );

  test.each([
    ['that is empty', ''],
    ['that is the letter x', 'x'],
    ['that is a percent sign', '%'],
    ['with an id of another prefix', positionToCursor({ at: '', id: 'evt_01KA8Z3M9Q4T7V2X5B8D1F6H0J' }, '')],
    ['with the time yesterday', positionToCursor({ at: 'yesterday', id }, '')],
    ['with an id that ends with #x', positionToCursor({ at: '', id: `${id}#x` }, '')],
    ['without the hash', Buffer.from(`|${id}`).toString('base64url')],
    ['with padding at its end', `${positionToCursor({ at: '', id }, '')}=`],
    ['of 5,000 letters', 'A'.repeat(5000)],
  ])('reports an error at cursor for a cursor %s', (_, cursor) => {
    expect(query.safeParse({ cursor }).error?.issues[0]?.path).toEqual(['cursor']);
  });
});

describe('instantSchema', () => {
  test.each([
    ['2026-11-16T09:30:00.5+01:00', '2026-11-16T08:30:00.500Z'],
    ['0000-01-01T00:00:00+23:59', '1970-01-01T00:00:00.000Z'],
    ['1969-12-31T23:59:59Z', '1970-01-01T00:00:00.000Z'],
    // The offset leads to the year 10000, whose text would sort before the texts of earlier years.
    ['9999-12-31T23:59:59-23:59', '9999-12-31T23:59:59.999Z'],
  ])('parses %s as %s', (text, expected) => {
    expect(new Date(instantSchema.parse(text)).toISOString()).toBe(expected);
  });
});
