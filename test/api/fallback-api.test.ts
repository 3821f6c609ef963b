import { expect, test } from 'vitest';
import { handler } from '../../lambdas/functions/fallback-api.ts';
import { callApi } from '../helpers/api-call.ts';

test.each([
  ['/nothing', 'native', { type: '/problems/not_found', status: 404 }],
  ['/api/public/v1/nothing', 'native', { type: '/problems/not_found', status: 404 }],
  ['/v1', 'PassMint', { error: { type: 'invalid_request_error' } }],
  ['/v1x', 'native', { type: '/problems/not_found' }],
  ['/api/hook', 'Passcreator', { ErrorMessage: 'No such path.' }],
  ['/v1/nothing', 'PassMint', { error: { type: 'invalid_request_error', message: 'No such path.', param: null } }],
  ['/api/hook/nothing', 'Passcreator', { ErrorMessage: 'No such path.' }],
])(
  'the fallback-api function answers 404 to GET, POST and HEAD %s in the error format of the %s API',
  async (path, _, shape) => {
    for (const method of ['GET', 'POST', 'HEAD']) {
      const { status, headers, json } = await callApi(handler, method, path);

      expect(status).toBe(404);
      expect(headers['x-request-id']).toBeDefined();
      expect(json).toMatchObject(shape);
    }
  },
);
