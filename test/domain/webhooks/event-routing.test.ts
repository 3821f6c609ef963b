import { describe, expect, it } from 'vitest';
import { checkRoutes } from '../../../lambdas/domain/webhooks/event-routing.ts';

const id = `whk_${'0'.repeat(26)}`;
const routes = (count: number, resource: string) => ({
  types: Array.from({ length: count }, (_, n) => `type.${n}`),
  member: `${id}|${resource}`,
});

describe('a webhook’s share of the routing rows', () => {
  it.each([
    [46, ''],
    [40, 'x'.repeat(64)],
    [13, 'x'.repeat(255)],
    [1, '🛂'.repeat(63)],
  ])('is within the limit for %i types with resource %j', (count, resource) => {
    expect(() => checkRoutes(routes(count, resource))).not.toThrow();
  });

  it.each([
    [40, 'x'.repeat(65), 64],
    [14, 'x'.repeat(255), 240],
    [20, '🛂'.repeat(63), 159],
  ])('exceeds the limit for %i types with resource %j', (count, resource, most) => {
    expect(() => checkRoutes(routes(count, resource))).toThrow(
      expect.objectContaining({
        code: 'invalid',
        errors: [{ path: 'resource', code: 'too_big', message: expect.stringContaining(`at most ${most} bytes`) }],
      }),
    );
  });
});
