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

describe('the route table', () => {
  it.each([
    ['GET', '/pets/dog/1', 'GET /pets/dog/1', undefined],
    ['PUT', '/pets/dog/1', 'ANY /pets/dog/1', undefined],
    ['GET', '/pets/dog/2', 'GET /pets/dog/{id}', { id: '2' }],
    ['GET', '/pets/cat/1', 'GET /pets/{proxy+}', { proxy: 'cat/1' }],
    ['POST', '/pets/cat/1', 'ANY /{proxy+}', { proxy: 'pets/cat/1' }],
    ['GET', '/v1/webhooks', 'ANY /v1/webhooks', undefined],
    ['GET', '/v1/webhooks/whk_1', 'ANY /v1/webhooks/{proxy+}', { proxy: 'whk_1' }],
    ['GET', '/v1/webhooks/whk_1/deliveries', 'ANY /v1/webhooks/{id}/deliveries', { id: 'whk_1' }],
    ['GET', '/v1/webhooks/whk_1/deliveries/x', 'ANY /v1/webhooks/{proxy+}', { proxy: 'whk_1/deliveries/x' }],
    ['GET', '/', '$default', undefined],
  ])('matches %s %s with %s', (method, path, key, pathParameters) => {
    expect(match(method, path)).toEqual({ key, target: key, pathParameters });
  });

  it('finds no route for an unknown path when there is no $default', () => {
    expect(createRouteTable([{ key: 'GET /a', target: 1 }])('POST', '/a')).toBeUndefined();
  });
});
