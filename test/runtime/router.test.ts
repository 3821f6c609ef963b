import { describe, expect, it } from 'vitest';
import { type Operation, route } from '../../lambdas/runtime/operation.ts';
import { router } from '../../lambdas/runtime/router.ts';

const read = {
  tag: 'thing',
  summary: '',
  responses: { 200: null },
  id: 'read',
  method: 'GET',
  path: '/things/{id}',
  scope: null,
} as const satisfies Operation;

describe('router', () => {
  const find = router([route(read, async () => ({ status: 200 }))]);

  // The bug: the router decoded the path that API Gateway had already decoded.
  it.each(['a%20b', '%41', '%2F', '100%', '%', 'a b', 'ø'])(
    'returns the segment “%s” of a decoded path unchanged as the parameter',
    (id) => {
      expect(find('GET', `/things/${id}`).params).toEqual({ id });
    },
  );

  it('throws not_found if the segment of a parameter is empty', () => {
    expect(() => find('GET', '/things/')).toThrow('No such path.');
  });
});
