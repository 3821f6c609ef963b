import { describe, expect, it } from 'vitest';
import { useStacks } from '../recorder.ts';

describe('the local API gateway', () => {
  const start = useStacks();

  it('passes a request to the function as an event in payload format 2.0, and returns the function’s status, header and cookies', async () => {
    const { stack } = await start();

    const response = await fetch(`${stack.url}/things/a%20b/parts?x=1&x=2&y=%20`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', Cookie: 'q=1; z=2', 'X-Several': 'one' },
      body: '{"å":1}',
    });

    expect(response.status).toBe(201);
    expect(response.headers.get('x-name')).toBe('api');
    expect(response.headers.getSetCookie()).toEqual(['a=1', 'b=2']);
    const { event, remaining, env } = (await response.json()) as Record<string, Record<string, unknown>>;
    expect(event).toMatchObject({
      version: '2.0',
      routeKey: 'ANY /things/{id}/parts',
      rawPath: '/things/a b/parts',
      rawQueryString: 'x=1&x=2&y=%20',
      queryStringParameters: { x: '1,2', y: ' ' },
      pathParameters: { id: 'a b' },
      cookies: ['q=1', 'z=2'],
      headers: { 'content-type': 'application/json', 'x-several': 'one' },
      requestContext: { http: { method: 'POST', path: '/things/a b/parts', sourceIp: '127.0.0.1' }, stage: '$default' },
      body: '{"å":1}',
      isBase64Encoded: false,
    });
    expect(remaining).toBe(true);
    expect(env).toMatchObject({ AWS_LAMBDA_FUNCTION_NAME: 'api', TABLE: 'TableABC123', SCHEDULE_SPEED: '1' });
  });

  it.each([
    ['passes a text/plain body unchanged', 'text/plain', Buffer.from('hei'), false],
    ['passes an application/problem+json body unchanged', 'application/problem+json', Buffer.from('{}'), false],
    ['passes an application/octet-stream body in base64', 'application/octet-stream', Buffer.from('hei'), true],
    [
      'passes an application/json body with invalid UTF-8 in base64',
      'application/json',
      Buffer.from([0x22, 0xff, 0x22]),
      true,
    ],
  ])('%s to the function', async (_, type, body, isBase64Encoded) => {
    const { stack } = await start();

    const response = await fetch(`${stack.url}/things`, { method: 'POST', headers: { 'content-type': type }, body });

    const { event } = (await response.json()) as { event: { body: string } };
    const expected = { body: body.toString(isBase64Encoded ? 'base64' : 'utf8'), isBase64Encoded };
    expect(event).toMatchObject(expected);
  });

  it('answers 413 to a request body of one byte more than 10 MiB', async () => {
    const { stack } = await start();

    const body = Buffer.alloc(10 * 1024 * 1024 + 1);
    const response = await fetch(`${stack.url}/things`, { method: 'POST', body });

    expect(response.status).toBe(413);
  });

  it('answers 404 with the message “Not Found” to a path that matches no route of the template', async () => {
    const { get } = await start();

    expect(await get('/elsewhere')).toEqual({ status: 404, body: { message: 'Not Found' } });
  });

  it('answers 500 to a route whose function no permission of the template lets API Gateway invoke, and does not invoke it', async () => {
    const { get, logs } = await start();

    expect(await get('/private')).toEqual({ status: 500, body: { message: 'Internal Server Error' } });
    expect(logs).toEqual([]);
  });

  it.each([
    ['throws', 'fail'],
    ['ends its process', 'exit'],
    ['never returns', 'hang'],
  ])(
    'answers 500 and logs an error when the function %s, and the next request is answered with 201',
    async (_, how) => {
      const { get, logs } = await start();

      const broken = await get(`/things?${how}`);
      const next = await get('/things');

      expect(broken).toEqual({ status: 500, body: { message: 'Internal Server Error' } });
      expect(next.status).toBe(201);
      expect(logs.some((line) => line.startsWith('api ERROR'))).toBe(true);
    },
  );
});
