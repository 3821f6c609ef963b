import { afterEach, describe, expect, test, vi } from 'vitest';
import type { KeyCheck } from '../../lambdas/domain/accounts/api-key.ts';
import { PassPostError } from '../../lambdas/domain/foundation/errors.ts';
import type { Surface } from '../../lambdas/runtime/problem.ts';
import { callApi } from '../helpers/api-call.ts';
import { caller, handlerWith, id, key, passed, quota } from '../helpers/things-api.ts';

afterEach(() => vi.restoreAllMocks());

describe('a request to an API function', () => {
  test('gets 404 for an unknown path or a malformed id, and 405 with Allow for a wrong method, without a check of its key', async () => {
    const { handler } = handlerWith({ check: new Error('submitted') });

    const unknown = await callApi(handler, 'GET', '/nothing');
    const wrongMethods = await Promise.all(
      ['PUT', 'OPTIONS', 'TRACE'].map((method) => callApi(handler, method, '/things')),
    );
    const wrongIds = await Promise.all(
      ['x', 'tsk_1', id.toLowerCase(), id.replace('tsk', 'evt'), '%ff', `${id}%00`, '__proto__'].map((text) =>
        callApi(handler, 'GET', `/things/${text}`),
      ),
    );

    expect(unknown).toMatchObject({ status: 404, json: { type: '/problems/not_found', status: 404, errors: [] } });
    for (const { status, headers } of wrongMethods) {
      expect(status).toBe(405);
      expect(headers.allow).toBe('POST, GET, HEAD');
    }
    expect(wrongIds.map(({ status }) => status)).toEqual(wrongIds.map(() => 404));
    expect((await callApi(handler, 'GET', '/things/')).status).toBe(404);
  });

  test('with HEAD gets the status and headers of GET without a body, and with HEAD on a path without GET gets 405', async () => {
    const { handler } = handlerWith();

    const paths = ['/things', `/things/${id}`];
    const pairs = await Promise.all(
      paths.map((path) => Promise.all(['GET', 'HEAD'].map((method) => callApi(handler, method, path, { key })))),
    );
    const postOnly = await callApi(handler, 'HEAD', `/things/${id}/go`);

    for (const [get, head] of pairs) {
      expect(head?.status).toBe(get?.status);
      expect({ ...head?.headers, 'x-request-id': '' }).toEqual({ ...get?.headers, 'x-request-id': '' });
      expect(get?.text).not.toBe('');
      expect(head?.text).toBe('');
    }
    expect(pairs.map(([get]) => get?.status)).toEqual([200, 200]);
    expect(postOnly).toMatchObject({ status: 405, headers: { allow: 'POST' } });
  });

  test('with a valid key gets the rate limit headers and x-request-id, with status 200 and with status 400', async () => {
    const { handler } = handlerWith();

    const answers = await Promise.all([
      callApi(handler, 'GET', '/things', { key }),
      callApi(handler, 'POST', '/things', { key, body: '{' }),
    ]);

    expect(answers.map(({ status }) => status)).toEqual([200, 400]);
    for (const { headers } of answers) {
      expect(headers['ratelimit-policy']).toBe('"default";q=120;w=60');
      expect(headers.ratelimit).toBe('"default";r=50;t=30');
      expect(headers['x-request-id']).toMatch(/^req_/);
    }
  });

  test('PP-7 above the rate limit gets 429 rate_limited with Retry-After 30 and no remaining requests', async () => {
    const { handler } = handlerWith({ check: { outcome: 'limited', quota: { ...quota, remaining: 0 } } });

    const { status, headers, json } = await callApi(handler, 'GET', '/things', { key });

    expect(status).toBe(429);
    expect(headers['retry-after']).toBe('30');
    expect(headers.ratelimit).toBe('"default";r=0;t=30');
    expect(json.type).toBe('/problems/rate_limited');
  });

  test.each([
    ['no Authorization header', undefined],
    ['a key without a scheme', key],
    ['the scheme Basic', `Basic ${key}`],
    ['the scheme Bearer and no key', 'Bearer'],
    ['two keys', `Bearer ${key} ${key}`],
    ['a key of another form', 'Bearer sk_live_0123456789'],
  ])('PP-1 gets 401 unauthorized and www-authenticate with %s', async (_, authorization) => {
    const { handler } = handlerWith({ check: new Error('submitted') });

    const answer = await callApi(handler, 'GET', '/things', { headers: authorization ? { authorization } : {} });

    expect(answer).toMatchObject({ status: 401, json: { type: '/problems/unauthorized' } });
    expect(answer.headers['www-authenticate']).toBe('Bearer realm="PassPost"');
  });
});

describe('an answer of an API function', () => {
  test('is no-store and nosniff with each status, unless the call sets a cache-control of its own', async () => {
    const answers = await Promise.all([
      callApi(handlerWith().handler, 'GET', '/things', { key }),
      callApi(handlerWith().handler, 'GET', '/things'),
      callApi(handlerWith({ fail: new Error('secret detail') }).handler, 'GET', '/things', { key }),
      callApi(handlerWith({ headers: { 'cache-control': 'public, max-age=1' } }).handler, 'GET', '/things', { key }),
    ]);

    expect(answers.map(({ status, headers }) => [status, headers['cache-control']])).toEqual([
      [200, 'no-store'],
      [401, 'no-store'],
      [500, 'no-store'],
      [200, 'public, max-age=1'],
    ]);
    for (const { headers } of answers) expect(headers['x-content-type-options']).toBe('nosniff');
  });

  test('is 500 without the error message if the call throws; the log has the message, and does not have the key', async () => {
    const lines: string[] = [];
    vi.spyOn(process.stdout, 'write').mockImplementation((text) => lines.push(String(text)) > 0);
    const { handler } = handlerWith({ fail: new Error('secret detail') });

    const { status, text, headers } = await callApi(handler, 'GET', '/things', { key });

    expect(status).toBe(500);
    expect(text).not.toContain('secret detail');
    const logged = lines.map((line) => JSON.parse(line));
    expect(logged.map(({ level, name }) => [level, name])).toEqual([
      ['error', 'request.failed'],
      ['info', 'request.answered'],
    ]);
    expect(logged[0]).toMatchObject({ request_id: headers['x-request-id'], error: { message: 'secret detail' } });
    expect(lines.join('')).not.toContain(key);
  });

  test.each([
    ['a throttled key counter', { check: Object.assign(new Error('slow'), { name: 'ThrottlingException' }) }],
    [
      'a throttled table',
      { fail: Object.assign(new Error('slow'), { name: 'ProvisionedThroughputExceededException' }) },
    ],
    ['an unreachable table', { fail: Object.assign(new Error('connect'), { code: 'ECONNREFUSED' }) }],
  ])('is 503 unavailable with Retry-After 1 for %s', async (_, options) => {
    const { handler } = handlerWith(options);

    const { status, headers, json } = await callApi(handler, 'GET', '/things', { key });

    expect(status).toBe(503);
    expect(headers['retry-after']).toBe('1');
    expect(json.type).toBe('/problems/unavailable');
  });

  test.each([
    ['Nothing was done', 'a throttled table', { name: 'ThrottlingException' }],
    ['The change may have been made', 'a table that did not answer in time', { name: 'TimeoutError' }],
    ['The change may have been made', 'a connection that closed before the answer', { code: 'ECONNRESET' }],
  ])('has a detail that says “%s” for %s', async (text, _, fault) => {
    const { handler } = handlerWith({ fail: Object.assign(new Error('fault'), fault) });

    const { json } = await callApi(handler, 'GET', '/things', { key });

    expect(json.detail).toContain(text);
  });

  test('has the error format of its surface: 422 as problem+json (native), 422 as error object (passmint), 400 as ErrorMessage (passcreator)', async () => {
    const fail = new PassPostError('invalid', 'Wrong: url.', { errors: [{ path: 'url', code: 'x', message: 'No.' }] });
    const answerOf = (surface: Surface, authorization: string) =>
      callApi(handlerWith({ surface, fail }).handler, 'GET', '/things', { headers: { authorization } });

    const native = await answerOf('native', `Bearer ${key}`);
    const passmint = await answerOf('passmint', `Bearer ${key}`);
    const passcreator = await answerOf('passcreator', key);
    const withScheme = await answerOf('passcreator', `Bearer ${key}`);

    expect(native.headers['content-type']).toBe('application/problem+json');
    expect(native.json).toEqual({
      type: '/problems/invalid',
      title: 'Invalid request',
      status: 422,
      detail: 'Wrong: url.',
      errors: [{ path: 'url', code: 'x', message: 'No.' }],
    });
    expect(passmint).toMatchObject({ status: 422 });
    expect(passmint.json).toEqual({ error: { type: 'invalid_request_error', message: 'Wrong: url.', param: 'url' } });
    expect(passcreator).toMatchObject({ status: 400, json: { ErrorMessage: 'url: No.' } });
    expect(withScheme).toMatchObject({ status: 401, json: { ErrorMessage: expect.any(String) } });
  });

  test('is 403 forbidden for a key without the scope of the call, and for the operator key, which has no account', async () => {
    const scopeless: KeyCheck = { ...passed, caller: { ...caller, scopes: ['tasks:write'] } };
    const operator: KeyCheck = { ...passed, caller: { ...caller, accountId: null } };

    for (const check of [scopeless, operator]) {
      const { status, json } = await callApi(handlerWith({ check }).handler, 'GET', '/things', { key });

      expect(status).toBe(403);
      expect(json.type).toBe('/problems/forbidden');
    }
  });
});
