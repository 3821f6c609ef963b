import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { pageQuery, positionToCursor } from '../../lambdas/domain/page.ts';

const id = 'tsk_01KA8Z3M9Q4T7V2X5B8D1F6H0J';
const query = z.strictObject(pageQuery('tsk'));

describe('the query of a list', () => {
  test('reads its cursor back', () => {
    const position = { at: '2026-11-16T09:30:00.000Z', id };

    expect(query.parse({ limit: '100', cursor: positionToCursor(position) })).toEqual({ limit: 100, cursor: position });
    expect(query.parse({})).toEqual({ limit: 20 });
  });

  test.each(['0', '101', '-1', '1.5', '1e1', '', ' 5', '05', 'x'])('refuses the limit %j', (limit) => {
    expect(query.safeParse({ limit }).error?.issues[0]?.path).toEqual(['limit']);
  });

  test.each([
    '',
    'x',
    '%',
    positionToCursor({ at: '', id: 'evt_01KA8Z3M9Q4T7V2X5B8D1F6H0J' }),
    positionToCursor({ at: 'yesterday', id }),
    positionToCursor({ at: '', id: `${id}#x` }),
    'A'.repeat(5000),
  ])('refuses the cursor %j', (cursor) => {
    expect(query.safeParse({ cursor }).error?.issues[0]?.path).toEqual(['cursor']);
  });
});
