import { expect, test } from 'vitest';
import { handler } from '../../lambdas/functions/fallback-api.ts';
import { callApi } from '../helpers/api-call.ts';

test.each([
  ['/nothing', { type: '/problems/not_found', status: 404 }],
  ['/api/public/v1/nothing', { type: '/problems/not_found', status: 404 }],
  ['/v1', { error: { type: 'invalid_request_error' } }],
  ['/v1x', { type: '/problems/not_found' }],
  ['/api/hook', { ErrorMessage: 'No such path.' }],
  ['/v1/nothing', { error: { type: 'invalid_request_error', message: 'No such path.', param: null } }],
  ['/api/hook/nothing', { ErrorMessage: 'No such path.' }],
])('the fallback-api function answers 404 for %s in the error format of its API surface', async (path, shape) => {
  for (const method of ['GET', 'POST', 'HEAD']) {
    const { status, headers, json } = await callApi(handler, method, path);

    expect(status).toBe(404);
    expect(headers['x-request-id']).toBeDefined();
    expect(json).toMatchObject(shape);
  }
});
