import http from 'node:http';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { serve, serveRaw } from '../../helpers/receiver.ts';
import { ok, start } from '../../helpers/sender.ts';

const echo = () =>
  http.createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { method, url, headers } = request;
      response.end(
        JSON.stringify({
          method,
          url,
          headers,
          body: Buffer.concat(chunks).toString(),
          port: request.socket.remotePort,
        }),
      );
    });
  });

describe('the HTTP sender', () => {
  test('sends headers and body unchanged, and adds only host, accept-encoding, content-length and connection', async () => {
    const host = await serve(echo());
    const post = start();

    const answer = await post(`http://${host}/hook`, { headers: { 'x-signature': 'abc' }, body: '{"ø":"🔑"}' });

    expect(answer).toMatchObject({ status: 200, error: null, retryAfter: null });
    const { headers, ...request } = JSON.parse(answer.body ?? '');
    expect(request).toMatchObject({ method: 'POST', url: '/hook', body: '{"ø":"🔑"}' });
    expect(headers).toEqual({
      host,
      'x-signature': 'abc',
      'accept-encoding': 'identity',
      'content-length': '13',
      connection: 'keep-alive',
    });
    expect(Math.abs(Date.now() - answer.startedAtMs)).toBeLessThan(1000);
    expect(answer.durationMs).toBeLessThan(1000);
  });

  // The query may hold a secret, which the receiver compares byte for byte.
  test.each([
    `/p?a=%7E~'"|{}&&=b`,
    '/a/../b?secret=a+b%2Bc%20&%zz;x[]=\\^`<>',
    '/?',
    '/?a=b?c=/d//',
    '/p;v=1,2?%C3%B8',
  ])('PM-8 sends path and query byte for byte, without the fragment: %s', async (target) => {
    const receiver = await serveRaw((socket) => socket.end(ok));
    const post = start();

    await post(`http://${receiver.host}${target}#fragment`);

    expect(receiver.received[0]?.split('\r\n')[0]).toBe(`POST ${target} HTTP/1.1`);
  });

  test('percent-encodes ø and ключ in path and query, and leaves ~ and & unchanged', async () => {
    const receiver = await serveRaw((socket) => socket.end(ok));
    const post = start();

    await post(`http://${receiver.host}/ø?a=~&ключ`);

    expect(receiver.received[0]).toMatch(/^POST \/%C3%B8\?a=~&%D0%BA%D0%BB%D1%8E%D1%87 HTTP/);
  });

  test('uses one connection for three POSTs to a receiver, one after the other', async () => {
    const host = await serve(echo());
    const post = start();
    const portOf = async () => JSON.parse((await post(`http://${host}/`)).body ?? '').port;

    const first = await portOf();

    expect(await portOf()).toBe(first);
    expect(await portOf()).toBe(first);
  });

  test('returns the status 503, the Retry-After header and the body of the response', async () => {
    const host = await serve(
      http.createServer((_, response) => response.writeHead(503, { 'retry-after': '120' }).end('later')),
    );
    const post = start();

    expect(await post(`http://${host}/`)).toMatchObject({ status: 503, retryAfter: '120', body: 'later', error: null });
  });

  test('sends at most 256 of 300 POSTs at the same time, and all 300 get 200', async () => {
    let maxRunning = 0;
    let running = 0;
    const host = await serve(
      http.createServer((_, response) => {
        maxRunning = Math.max(maxRunning, ++running);
        setTimeout(() => {
          running--;
          response.end();
        }, 100);
      }),
    );
    const post = start();

    const answers = await Promise.all(Array.from({ length: 300 }, () => post(`http://${host}/`)));

    expect(answers.every(({ status }) => status === 200)).toBe(true);
    expect(maxRunning).toBeLessThanOrEqual(256);
  });
});

describe('a response to the HTTP sender', () => {
  const answerTo = async (bytes: string | Buffer, thenEnd = true) => {
    const receiver = await serveRaw((socket) => (thenEnd ? socket.end(bytes) : socket.write(bytes)));
    return start()(`http://${receiver.host}/`, { timeoutMs: 300 });
  };

  test.each([
    ['with a content-length', 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok', false],
    ['in chunks', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n', false],
    ['with trailers', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nx-sum: 1\r\n\r\n', false],
    ['that ends with the connection', 'HTTP/1.1 200 OK\r\n\r\nok', true],
    ['in HTTP/1.0', 'HTTP/1.0 200 OK\r\n\r\nok', true],
    ['after 100 Continue', `HTTP/1.1 100 Continue\r\n\r\n${ok}`, false],
    [
      'after 102 Processing and 103 Early Hints',
      `HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n${ok}`,
      false,
    ],
    ['with extra bytes after its content-length', `${ok}k, and then some`, false],
    [
      'with connection: close and extra bytes after its content-length',
      'HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nokay',
      true,
    ],
    ['with a second response behind it', `${ok}HTTP/1.1 500 No\r\ncontent-length: 0\r\n\r\n`, false],
  ])('%s is complete: status 200, body ok and no error', async (_, bytes, thenEnd) => {
    expect(await answerTo(bytes, thenEnd)).toMatchObject({ status: 200, body: 'ok', error: null });
  });

  test('with status 204 and no body is complete: its body is empty and it has no error', async () => {
    expect(await answerTo('HTTP/1.1 204 No Content\r\n\r\n', false)).toMatchObject({
      status: 204,
      body: '',
      error: null,
    });
  });

  test.each([
    ['before its first byte', ''],
    ['after half a status line', 'HTTP/1.1 2'],
    ['after half of its headers', 'HTTP/1.1 200 OK\r\ncontent-le'],
    ['before the end of its content-length', 'HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nok'],
    [
      'with connection: close before the end of its content-length',
      'HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 9\r\n\r\nok',
    ],
    ['without a last chunk', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n'],
    [
      'with connection: close and without a last chunk',
      'HTTP/1.1 200 OK\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n',
    ],
    ['after 100 Continue', 'HTTP/1.1 100 Continue\r\n\r\n'],
  ])('that ends %s gives the error connection_reset', async (_, bytes) => {
    expect((await answerTo(bytes)).error?.code).toBe('connection_reset');
  });

  test.each([
    ['with a content-length', 'HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nok'],
    ['that ends with the connection', 'HTTP/1.1 200 OK\r\n\r\nok'],
    ['in chunks', 'HTTP/1.1 200 OK\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n'],
  ])(
    '%s gives the error connection_reset if the receiver resets the connection before the end of the response',
    async (_, bytes) => {
      const receiver = await serveRaw((socket) => {
        socket.write(bytes);
        setTimeout(() => socket.resetAndDestroy(), 30);
      });

      expect((await start()(`http://${receiver.host}/`)).error?.code).toBe('connection_reset');
    },
  );

  test.each([
    ['an SMTP greeting', '220 mail.example ESMTP\r\n'],
    ['an SSH greeting', 'SSH-2.0-OpenSSH_9.9\r\n'],
    ['a TLS alert', Buffer.from('15030100020246', 'hex')],
    ['HTTP with two different content-lengths', 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\nok'],
    [
      'HTTP with both a content-length and chunks',
      'HTTP/1.1 200 OK\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
    ],
    ['HTTP with an invalid chunk size', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n'],
    [
      'HTTP 101, a switch to another protocol,',
      'HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n',
    ],
  ])('that is %s gives the error not_http', async (_, bytes) => {
    expect((await answerTo(bytes, false)).error?.code).toBe('not_http');
  });

  test.each([
    ['in one header', `x-big: ${'a'.repeat(20_000)}\r\n`],
    ['in many headers', 'x-many: aaaaaaaaaa\r\n'.repeat(2000)],
  ])('with more than 16 KiB of headers, %s, gives the error headers_too_large', async (_, headers) => {
    expect((await answerTo(`HTTP/1.1 200 OK\r\n${headers}\r\n`, false)).error?.code).toBe('headers_too_large');
  });

  test.each([301, 302, 303, 307, 308])(
    'PP reading 9: that is a redirect with status %i gives the error redirect and is not followed',
    async (status) => {
      const inside = await serveRaw((socket) => socket.end(ok));
      const location = `http://${inside.host}/latest/meta-data`;
      const host = await serve(
        http.createServer((_, response) => response.writeHead(status, { location }).end('moved')),
      );

      const answer = await start()(`http://${host}/`);

      expect(answer).toMatchObject({ status, body: 'moved', error: { code: 'redirect' } });
      expect(inside.received).toEqual([]);
    },
  );

  test.each([
    ['of 64 KiB gives no error', 65_536, null],
    ['of 64 KiB and one byte gives the error body_too_large', 65_537, { code: 'body_too_large' }],
  ])('with status 500 and a body %s; status and the first 2,000 characters are returned', async (_, bytes, error) => {
    const host = await serve(http.createServer((_request, response) => response.writeHead(500).end('a'.repeat(bytes))));

    expect(await start()(`http://${host}/`)).toMatchObject({ status: 500, body: 'a'.repeat(2000), error });
  });

  test('of up to 1 GB gives the error body_too_large before the receiver has sent 50 MB', async () => {
    let sent = 0;
    const receiver = await serveRaw((socket) => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      const more = () => {
        while (!socket.destroyed && sent < 1e9 && socket.write(Buffer.alloc(65_536, 'a'))) sent += 65_536;
        if (!socket.destroyed) socket.once('drain', more);
      };
      more();
    });

    expect((await start()(`http://${receiver.host}/`)).error?.code).toBe('body_too_large');
    expect(sent).toBeLessThan(50e6);
  });

  test('with content-encoding gzip and 10 MB of content is not decompressed: the returned body is a note of its length', async () => {
    const bomb = gzipSync(Buffer.alloc(10e6));
    const host = await serve(
      http.createServer((_, response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end(bomb)),
    );

    const answer = await start()(`http://${host}/`);

    expect(answer).toMatchObject({ status: 200, error: null });
    expect(answer.body).toBe(`[${bomb.length} bytes in the content encoding gzip]`);
  });

  test.each([
    ['3,000 characters of two bytes', 'ø'.repeat(3000), 'ø'.repeat(2000)],
    ['3,000 surrogate pairs after one letter', `a${'🔑'.repeat(3000)}`, `a${'🔑'.repeat(1999)}`],
    ['9,000 bytes that are not UTF-8 become U+FFFD', Buffer.alloc(9000, 0xff), '\ufffd'.repeat(2000)],
    ['half a character becomes U+FFFD', Buffer.from([0x61, 0xc3]), 'a\ufffd'],
  ])('MT-11 MT reading 6: is returned as text of at most 2,000 code points: %s', async (_, body, expected) => {
    const host = await serve(http.createServer((_request, response) => response.end(body)));

    expect((await start()(`http://${host}/`)).body).toBe(expected);
  });

  test.each([2, 8 * 1024 * 1024])(
    '413 that arrives before the receiver has read the request body of %i bytes is returned without an error',
    async (bytes) => {
      const receiver = await serveRaw((socket) => {
        socket.pause();
        socket.write('HTTP/1.1 413 Content Too Large\r\nconnection: close\r\ncontent-length: 3\r\n\r\nbig');
        setTimeout(() => socket.destroy(), 50);
      });

      const answer = await start()(`http://${receiver.host}/`, { body: 'a'.repeat(bytes) });

      expect(answer).toMatchObject({ status: 413, body: 'big', error: null });
    },
  );
});
