import { describe, expect, it } from 'vitest';
import { checkRoutes } from '../../../lambdas/domain/webhooks/event-routing.ts';

const id = `whk_${'0'.repeat(26)}`;
const routes = (count: number, resource: string) => ({
  types: Array.from({ length: count }, (_, n) => `type.${n}`),
  member: `${id}|${resource}`,
});

describe('checkRoutes', () => {
  it.each([
    [46, 'no resource', ''],
    [40, 'a resource of 64 bytes', 'x'.repeat(64)],
    [13, 'a resource of 255 bytes', 'x'.repeat(255)],
    [1, 'a resource of 252 bytes in 63 characters', '🛂'.repeat(63)],
  ])('accepts a webhook with %i event type(s) and %s', (count, _, resource) => {
    expect(() => checkRoutes(routes(count, resource))).not.toThrow();
  });

  it.each([
    [40, 'a resource of 65 bytes: at most 64 bytes', 'x'.repeat(65), 64],
    [14, 'a resource of 255 bytes: at most 240 bytes', 'x'.repeat(255), 240],
    [20, 'a resource of 252 bytes: at most 159 bytes', '🛂'.repeat(63), 159],
  ])('throws invalid for a webhook with %i event type(s) and %s', (count, _, resource, most) => {
    expect(() => checkRoutes(routes(count, resource))).toThrow(
      expect.objectContaining({
        code: 'invalid',
        errors: [{ path: 'resource', code: 'too_big', message: expect.stringContaining(`at most ${most} bytes`) }],
      }),
    );
  });
});
