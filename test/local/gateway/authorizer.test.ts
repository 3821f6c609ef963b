import { beforeEach, describe, expect, it } from 'vitest';
import type { InvocationResult } from '../../../local/functions/execution-environment.ts';
import { type Authorizer, createJudge } from '../../../local/gateway/authorizer.ts';

const authorizer: Authorizer = { functionName: 'check', header: 'x-pass', keptMs: 1000 };
const eventWith = (headers: Readonly<Record<string, string>>) => ({
  requestContext: { requestId: 'one' },
  headers,
  body: 'secret',
});

describe('an authorizer', () => {
  let nowMs: number;
  let asked: unknown[];
  let answer: InvocationResult;
  let judge: ReturnType<typeof createJudge>;
  const judged = async (value: string) => judge(authorizer, eventWith({ 'x-pass': value }));
  beforeEach(() => {
    nowMs = 0;
    asked = [];
    answer = { ok: true, payload: { isAuthorized: true, context: { of: 'it' } } };
    judge = createJudge(
      async (_, event) => {
        asked.push(event);
        return answer;
      },
      () => nowMs,
    );
  });

  it('is asked about the header, without the body, and its word is handed on', async () => {
    expect(await judged('a')).toEqual({ isAuthorized: true, context: { of: 'it' } });
    expect(asked).toEqual([
      { requestContext: { requestId: 'one' }, headers: { 'x-pass': 'a' }, type: 'REQUEST', identitySource: ['a'] },
    ]);
  });

  it('is not asked where the header is missing', async () => {
    expect(await judge(authorizer, eventWith({}))).toMatchObject({ isAuthorized: false, status: 401 });
    expect(asked).toEqual([]);
  });

  it.each([{ isAuthorized: false }, { isAuthorized: 'true' }, {}])('refuses by %o', async (payload) => {
    answer = { ok: true, payload };

    expect(await judged('a')).toMatchObject({ isAuthorized: false, status: 403 });
  });

  it('is asked again about another value, and about the same one when its answer is too old', async () => {
    for (const value of ['a', 'a', 'b', 'a']) await judged(value);
    expect(asked).toHaveLength(2);
    nowMs = 1000;
    await judged('a');
    expect(asked).toHaveLength(3);
  });

  it('that fails is asked again', async () => {
    answer = { ok: false, error: { type: 'Error', message: '', trace: '' } };
    expect(await judged('a')).toMatchObject({ isAuthorized: false, status: 500 });
    answer = { ok: true, payload: { isAuthorized: true } };
    expect(await judged('a')).toEqual({ isAuthorized: true, context: {} });
  });
});
