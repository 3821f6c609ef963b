import { describe, expect, it } from 'vitest';
import { createRouteTable } from '../../../local/gateway/routes.ts';

const match = createRouteTable(
  [
    '$default',
    'ANY /{proxy+}',
    'GET /pets/{proxy+}',
    'GET /pets/dog/{id}',
    'ANY /pets/dog/1',
    'GET /pets/dog/1',
    'ANY /v1/webhooks',
    'ANY /v1/webhooks/{proxy+}',
    'ANY /v1/webhooks/{id}/deliveries',
  ].map((key) => ({ key, target: key })),
);

describe('the route table of the local gateway', () => {
  it.each([
    ['no path parameters', 'GET', '/pets/dog/1', 'GET /pets/dog/1', undefined],
    ['no path parameters', 'PUT', '/pets/dog/1', 'ANY /pets/dog/1', undefined],
    ['the path parameter id (2)', 'GET', '/pets/dog/2', 'GET /pets/dog/{id}', { id: '2' }],
    ['the path parameter proxy (cat/1)', 'GET', '/pets/cat/1', 'GET /pets/{proxy+}', { proxy: 'cat/1' }],
    ['the path parameter proxy (pets/cat/1)', 'POST', '/pets/cat/1', 'ANY /{proxy+}', { proxy: 'pets/cat/1' }],
    ['no path parameters', 'GET', '/v1/webhooks', 'ANY /v1/webhooks', undefined],
    ['the path parameter proxy (whk_1)', 'GET', '/v1/webhooks/whk_1', 'ANY /v1/webhooks/{proxy+}', { proxy: 'whk_1' }],
    [
      'the path parameter id (whk_1)',
      'GET',
      '/v1/webhooks/whk_1/deliveries',
      'ANY /v1/webhooks/{id}/deliveries',
      { id: 'whk_1' },
    ],
    [
      'the path parameter proxy (whk_1/deliveries/x)',
      'GET',
      '/v1/webhooks/whk_1/deliveries/x',
      'ANY /v1/webhooks/{proxy+}',
      { proxy: 'whk_1/deliveries/x' },
    ],
    ['no path parameters', 'GET', '/', '$default', undefined],
  ])('returns %s for %s %s, which matches the route “%s”', (_, method, path, key, pathParameters) => {
    expect(match(method, path)).toEqual({ key, target: key, pathParameters });
  });

  it('finds no route for another method of a known path when there is no $default', () => {
    expect(createRouteTable([{ key: 'GET /a', target: 1 }])('POST', '/a')).toBeUndefined();
  });
});
