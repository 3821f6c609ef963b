import { describe, expect, it } from 'vitest';
import { routesFaults } from '../../../lambdas/domain/webhooks/event-routing.ts';

const id = `whk_${'0'.repeat(26)}`;
const routes = (count: number, resource: string) => ({
  types: Array.from({ length: count }, (_, n) => `type.${n}`),
  member: `${id}|${resource}`,
});

describe('the limits of the event types and the resource of a webhook (routesFaults)', () => {
  it.each([
    [46, 'no resource', ''],
    [40, 'a resource of 64 bytes', 'x'.repeat(64)],
    [13, 'a resource of 255 bytes', 'x'.repeat(255)],
    [1, 'a resource of 252 bytes in 63 characters', '🛂'.repeat(63)],
  ])('finds no fault in a webhook with %i event type(s) and %s', (count, _, resource) => {
    expect(routesFaults(routes(count, resource))).toEqual([]);
  });

  it.each([
    [40, 'a resource of 65 bytes: at most 64 bytes', 'x'.repeat(65), 64],
    [14, 'a resource of 255 bytes: at most 240 bytes', 'x'.repeat(255), 240],
    [20, 'a resource of 252 bytes: at most 159 bytes', '🛂'.repeat(63), 159],
  ])('finds a fault in the field resource of a webhook with %i event type(s) and %s', (count, _, resource, most) => {
    expect(routesFaults(routes(count, resource))).toEqual([
      { path: 'resource', code: 'too_big', message: expect.stringContaining(`at most ${most} bytes`) },
    ]);
  });
});
