import { beforeEach, describe, expect, it } from 'vitest';
import type { InvocationResult } from '../../../local/functions/execution-environment.ts';
import { type Authorizer, createAuthorize } from '../../../local/gateway/authorizer.ts';

const authorizer: Authorizer = { functionName: 'check', header: 'x-pass', cacheMs: 1000, isPermitted: true };
const eventWith = (headers: Readonly<Record<string, string>>) => ({
  requestContext: { requestId: 'one' },
  headers,
  body: 'secret',
});

describe('a Lambda authorizer of the local gateway', () => {
  let nowMs: number;
  let events: unknown[];
  let result: InvocationResult;
  let authorize: ReturnType<typeof createAuthorize>;
  const authorizeValue = async (value: string) => authorize(authorizer, eventWith({ 'x-pass': value }));
  beforeEach(() => {
    nowMs = 0;
    events = [];
    result = { ok: true, payload: { isAuthorized: true, context: { of: 'it' } } };
    authorize = createAuthorize(
      async (_, event) => {
        events.push(event);
        return result;
      },
      () => nowMs,
    );
  });

  it('gets the request’s context and headers without the body, and its decision and context are returned', async () => {
    expect(await authorizeValue('a')).toEqual({ isAuthorized: true, context: { of: 'it' } });
    expect(events).toEqual([
      { requestContext: { requestId: 'one' }, headers: { 'x-pass': 'a' }, type: 'REQUEST', identitySource: ['a'] },
    ]);
  });

  it('is not invoked when the identity header is missing: the request is refused with 401', async () => {
    expect(await authorize(authorizer, eventWith({}))).toMatchObject({ isAuthorized: false, status: 401 });
    expect(events).toEqual([]);
  });

  it.each<[string, object]>([
    ['isAuthorized false', { isAuthorized: false }],
    ['isAuthorized as the text “true”', { isAuthorized: 'true' }],
    ['no isAuthorized', {}],
  ])('that returns %s: the request is refused with 403', async (_, payload) => {
    result = { ok: true, payload };

    expect(await authorizeValue('a')).toMatchObject({ isAuthorized: false, status: 403 });
  });

  it('is invoked once for each header value, and again for a value whose cached decision has expired after 1 s', async () => {
    for (const value of ['a', 'a', 'b', 'a']) await authorizeValue(value);
    expect(events).toHaveLength(2);
    nowMs = 1000;
    await authorizeValue('a');
    expect(events).toHaveLength(3);
  });

  it('that API Gateway may not invoke is not invoked: the request is refused with 500', async () => {
    const event = eventWith({ 'x-pass': 'a' });

    expect(await authorize({ ...authorizer, isPermitted: false }, event)).toMatchObject({ status: 500 });
    expect(events).toEqual([]);
  });

  it('that fails: the request is refused with 500, and the next request with the same header value is authorized', async () => {
    result = { ok: false, error: { type: 'Error', message: '', trace: '' } };
    expect(await authorizeValue('a')).toMatchObject({ isAuthorized: false, status: 500 });
    result = { ok: true, payload: { isAuthorized: true } };
    expect(await authorizeValue('a')).toEqual({ isAuthorized: true, context: {} });
  });
});
