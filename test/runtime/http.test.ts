import { afterEach, describe, expect, test, vi } from 'vitest';
import { z } from 'zod';
import type { KeyCheck } from '../../lambdas/domain/api-key.ts';
import { PassPostError } from '../../lambdas/domain/errors.ts';
import { httpHandler } from '../../lambdas/runtime/http.ts';
import { type ApiRequest, type Operation, route } from '../../lambdas/runtime/operation.ts';
import type { Surface } from '../../lambdas/runtime/problem.ts';
import { type ApiCall, callApi } from '../helpers/api-call.ts';

const common = { tag: 'thing', summary: '', responses: { 200: null } } as const;
const bodySchema = z.strictObject({
  name: z.string().min(1),
  place: z.strictObject({ city: z.string() }).optional(),
  kind: z.enum(['a', 'b']).optional(),
  data: z.unknown().optional(),
});
const create = {
  ...common,
  id: 'create',
  method: 'POST',
  path: '/things',
  scope: 'tasks:write',
  body: bodySchema,
  isIdempotent: true,
} as const satisfies Operation;
const list = {
  ...common,
  id: 'list',
  method: 'GET',
  path: '/things',
  scope: 'tasks:read',
  query: z.strictObject({ size: z.string().optional() }),
} as const satisfies Operation;
const read = {
  ...common,
  id: 'read',
  method: 'GET',
  path: '/things/{id}',
  scope: 'tasks:read',
  idPrefix: 'tsk',
} as const satisfies Operation;
const go = {
  ...common,
  id: 'go',
  method: 'POST',
  path: '/things/{id}/go',
  scope: null,
  body: z.strictObject({}),
  isBodyOptional: true,
} as const satisfies Operation;

const nowMs = Date.parse('2026-11-16T09:30:00.000Z');
const id = 'tsk_01KA8Z3M9Q4T7V2X5B8D1F6H0J';
const key = 'pp_live_0123456789abcdef';
const quota = { limit: 120, remaining: 50, resetAtMs: nowMs + 29_001 };
const caller = { keyId: 'key_1', accountId: 'acc_1', scopes: ['tasks:read', 'tasks:write'], mode: 'live' as const };
const passed: KeyCheck = { outcome: 'passed', caller, quota };

const handlerWith = ({
  check = passed,
  surface = 'native',
  fail,
}: {
  check?: KeyCheck | Error;
  surface?: Surface;
  fail?: unknown;
} = {}) => {
  const seen: ApiRequest[] = [];
  const perform = async (request: unknown) => {
    seen.push(request as ApiRequest);
    if (fail) throw fail;
    return { status: 200, body: { ok: true } };
  };
  const authenticate = async () => {
    if (check instanceof Error) throw check;
    return check;
  };
  const routes = [route(create, perform), route(list, perform), route(read, perform), route(go, perform)];
  return { seen, handler: httpHandler(routes, { surface, authenticate, now: () => nowMs }) };
};

const post = (options: ApiCall) => {
  const { seen, handler } = handlerWith();
  return callApi(handler, 'POST', '/things', { key, ...options }).then((answer) => ({ ...answer, seen }));
};

afterEach(() => vi.restoreAllMocks());

describe('a request', () => {
  test('meets path and method before any question of keys', async () => {
    const { handler } = handlerWith({ check: new Error('asked') });

    const unknown = await callApi(handler, 'GET', '/nothing');
    const wrongMethods = await Promise.all(
      ['PUT', 'HEAD', 'OPTIONS', 'TRACE'].map((method) => callApi(handler, method, '/things')),
    );
    const wrongIds = await Promise.all(
      ['x', 'tsk_1', id.toLowerCase(), id.replace('tsk', 'evt'), '%ff', `${id}%00`, '__proto__'].map((text) =>
        callApi(handler, 'GET', `/things/${text}`),
      ),
    );

    expect(unknown).toMatchObject({ status: 404, json: { type: '/problems/not_found', status: 404, errors: [] } });
    for (const { status, headers } of wrongMethods) {
      expect(status).toBe(405);
      expect(headers.allow).toBe('POST, GET');
    }
    expect(wrongIds.map(({ status }) => status)).toEqual(wrongIds.map(() => 404));
    expect((await callApi(handler, 'GET', '/things/')).status).toBe(404);
  });

  test('is told its quota in every authenticated answer', async () => {
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

  test('PP-7 is told to the second when to come again', async () => {
    const { handler } = handlerWith({ check: { outcome: 'limited', quota: { ...quota, remaining: 0 } } });

    const { status, headers, json } = await callApi(handler, 'GET', '/things', { key });

    expect(status).toBe(429);
    expect(headers['retry-after']).toBe('30');
    expect(headers.ratelimit).toBe('"default";r=0;t=30');
    expect(json.type).toBe('/problems/rate_limited');
  });

  test.each([
    ['no header', undefined],
    ['no scheme', key],
    ['another scheme', `Basic ${key}`],
    ['no key', 'Bearer'],
    ['two keys', `Bearer ${key} ${key}`],
    ['no key of ours', 'Bearer sk_live_0123456789'],
  ])('PP-1 is refused with %s', async (_, authorization) => {
    const { handler } = handlerWith({ check: new Error('asked') });

    const answer = await callApi(handler, 'GET', '/things', { headers: authorization ? { authorization } : {} });

    expect(answer).toMatchObject({ status: 401, json: { type: '/problems/unauthorized' } });
    expect(answer.headers['www-authenticate']).toBe('Bearer realm="PassPost"');
  });

  test.each([
    ['not JSON', '{"name":', 400],
    ['empty', '', 400],
    ['not UTF-8', new Uint8Array([0x22, 0xff, 0x22]), 400],
    ['too large', JSON.stringify({ name: 'x'.repeat(256 * 1024) }), 413],
    ['too large in bytes', `{"name":"${'å'.repeat(131_070)}"}`, 413],
    ['deeply nested', `{"name":"x","data":${'['.repeat(100_000)}${']'.repeat(100_000)}}`, 422],
    ['a number beyond numbers', '{"name":"x","data":1e999}', 422],
    ['half a character', '{"name":"\\ud800"}', 422],
    ['half a character in a name', '{"name":"x","data":{"\\udc00":1}}', 422],
    ['NUL', '{"name":"\\u0000"}', 422],
    ['null', 'null', 422],
    ['a list', '[]', 422],
    ['text', '"x"', 422],
    ['a prototype', '{"name":"x","__proto__":{"city":"x"}}', 422],
    ['a constructor', '{"name":"x","constructor":{"prototype":{}}}', 422],
  ])('with a body that is %s is refused', async (_, body, expected) => {
    const { status, json, seen } = await post({ body });

    expect(status).toBe(expected);
    expect(json.type).toMatch(/^\/problems\//);
    expect(seen).toEqual([]);
  });

  test.each([
    ['text/plain', 415],
    ['application/x-www-form-urlencoded', 415],
    ['application/json; charset=latin1', 415],
    ['', 415],
    ['application/json; charset=UTF-8', 200],
    ['Application/JSON;charset="utf-8"', 200],
    ['application/vnd.api+json', 200],
  ])('of type %j answers %i', async (type, expected) => {
    const { status } = await post({ body: { name: 'x' }, headers: { 'content-type': type } });

    expect(status).toBe(expected);
  });

  test('may carry its body in base64', async () => {
    const { status, seen } = await post({ body: Buffer.from('{"name":"blåbær"}') });

    expect(status).toBe(200);
    expect(seen[0]?.body).toMatchObject({ name: 'blåbær' });
  });

  test('hears of every wrong field', async () => {
    const { json } = await post({ body: { place: { city: 1, street: 'x' }, kind: 'c', colour: 'red' } });

    expect(json.errors.map(({ path, code }: { path: string; code: string }) => [path, code])).toEqual([
      ['name', 'required'],
      ['place.city', 'invalid_type'],
      ['place.street', 'unknown_field'],
      ['kind', 'invalid_value'],
      ['colour', 'unknown_field'],
    ]);
  });

  test.each([
    ['unknown=1', 'unknown'],
    ['size=1&size=2', 'size'],
    ['size=%FF', '%FF'],
    ['size=%00', 'size'],
    ['__proto__=1', '__proto__'],
  ])('with the query %s is refused', async (query, named) => {
    const { handler, seen } = handlerWith();

    const { status, json } = await callApi(handler, 'GET', '/things', { key, query });

    expect(status).toBe(422);
    expect(json.errors[0].path).toBe(named);
    expect(seen).toEqual([]);
  });

  test.each(['', 'with space', 'x'.repeat(256), 'smørbrød'])('with the Idempotency-Key %j is refused', async (text) => {
    const { status, json } = await post({ body: { name: 'x' }, headers: { 'idempotency-key': text } });

    expect(status).toBe(422);
    expect(json.errors[0].path).toBe('Idempotency-Key');
  });

  test('has one content whatever its member order', async () => {
    const one = await post({ body: '{"name":"x","data":{"a":1,"b":[1,2]}}' });
    const same = await post({ body: '{"data":{"b":[1,2],"a":1.0},"name":"x"}' });
    const other = await post({ body: '{"name":"x","data":{"a":1,"b":[2,1]}}' });

    expect(same.seen[0]?.contentHash).toBe(one.seen[0]?.contentHash);
    expect(other.seen[0]?.contentHash).not.toBe(one.seen[0]?.contentHash);
  });

  test('needs no body where it is optional', async () => {
    const { handler } = handlerWith();

    const absent = await callApi(handler, 'POST', `/things/${id}/go`);
    const form = { 'content-type': 'application/x-www-form-urlencoded' };
    const empty = await callApi(handler, 'POST', `/things/${id}/go`, { body: '', headers: form });
    const wrong = await callApi(handler, 'POST', `/things/${id}/go`, { body: { x: 1 } });

    expect([absent.status, empty.status, wrong.status]).toEqual([200, 200, 422]);
    expect(wrong.json.errors).toEqual([{ path: 'x', code: 'unknown_field', message: 'Not known here.' }]);
  });
});

describe('an answer', () => {
  test('says nothing of our own failures, the log does', async () => {
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
    ['a counter that is throttled', { check: Object.assign(new Error('slow'), { name: 'ThrottlingException' }) }],
    [
      'a table that is throttled',
      { fail: Object.assign(new Error('slow'), { name: 'ProvisionedThroughputExceededException' }) },
    ],
    ['a table out of reach', { fail: Object.assign(new Error('connect'), { code: 'ECONNREFUSED' }) }],
  ])('is 503 for %s', async (_, options) => {
    const { handler } = handlerWith(options);

    const { status, headers, json } = await callApi(handler, 'GET', '/things', { key });

    expect(status).toBe(503);
    expect(headers['retry-after']).toBe('1');
    expect(json.type).toBe('/problems/unavailable');
  });

  test('of an error has the shape of its surface', async () => {
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

  test('is 403 without the scope, and for the operator outside its calls', async () => {
    const scopeless: KeyCheck = { ...passed, caller: { ...caller, scopes: ['tasks:write'] } };
    const operator: KeyCheck = { ...passed, caller: { ...caller, accountId: null } };

    for (const check of [scopeless, operator]) {
      const { status, json } = await callApi(handlerWith({ check }).handler, 'GET', '/things', { key });

      expect(status).toBe(403);
      expect(json.type).toBe('/problems/forbidden');
    }
  });
});
