import net from 'node:net';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { createEgress } from '../../../lambdas/adapters/sending/egress.ts';
import { createSender } from '../../../lambdas/adapters/sending/http-sender.ts';
import { serveRaw } from '../../helpers/receiver.ts';
import { ok, start, toLoopback } from '../../helpers/sender.ts';

describe('the deadline of a POST', () => {
  test.each([
    ['the response', () => {}],
    ['the rest of the headers', (socket: net.Socket) => socket.write('HTTP/1.1 200 OK\r\nx-a: ')],
    ['the body', (socket: net.Socket) => socket.write('HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n')],
    ['the last byte', (socket: net.Socket) => socket.write('HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nok')],
    [
      'a body that arrives byte by byte',
      (socket: net.Socket) => {
        socket.write('HTTP/1.1 200 OK\r\n\r\n');
        const drip = setInterval(() => socket.write('a'), 20);
        socket.on('close', () => clearInterval(drip));
      },
    ],
    [
      'headers that arrive byte by byte',
      (socket: net.Socket) => {
        socket.write('HTTP/1.1 200 OK\r\nx-a: ');
        const drip = setInterval(() => socket.write('a'), 20);
        socket.on('close', () => clearInterval(drip));
      },
    ],
    [
      'the end of a series of 102 responses',
      (socket: net.Socket) => {
        const drip = setInterval(() => socket.write('HTTP/1.1 102 Processing\r\n\r\n'), 10);
        socket.on('close', () => clearInterval(drip));
      },
    ],
  ])(
    'PP-8 MT-8 ends a POST that waits for %s: after 200 ms, and in less than 600 ms, with the error timeout',
    async (_, answer) => {
      const receiver = await serveRaw(answer);

      const { error, durationMs } = await start()(`http://${receiver.host}/`, { timeoutMs: 200 });

      expect(error?.code).toBe('timeout');
      expect(durationMs).toBeGreaterThanOrEqual(199);
      expect(durationMs).toBeLessThan(600);
    },
  );

  test('ends a POST that waits for the name server with the error timeout and no status', async () => {
    const post = start({ lookup: () => new Promise<never>(() => {}) });

    expect(await post('http://slow.example/', { timeoutMs: 100 })).toMatchObject({
      status: null,
      error: { code: 'timeout' },
    });
  });

  test('ends a POST that waits for the TLS handshake with the error timeout and no status', async () => {
    const silent = net.createServer();
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void silent.close());
    silent.on('connection', (socket) => onTestFinished(() => void socket.destroy()));

    const answer = await start()(`https://127.0.0.1:${(silent.address() as net.AddressInfo).port}/`, {
      timeoutMs: 150,
    });

    expect(answer).toMatchObject({ status: null, error: { code: 'timeout' } });
  });

  test('of 300 ms covers both tries of a POST that is sent again after 150 ms: the error is timeout, in less than 440 ms', async () => {
    const receiver = await serveRaw((socket, request, connection) => {
      if (request.includes('/first')) socket.write(ok);
      else if (connection === 0) setTimeout(() => socket.destroy(), 150);
    });
    const post = start();
    await post(`http://${receiver.host}/first`);

    const { error, durationMs } = await post(`http://${receiver.host}/`, { timeoutMs: 300 });

    expect(error?.code).toBe('timeout');
    expect(durationMs).toBeLessThan(440);
  });
});

test('a POST that its caller aborts, before or while it is sent, rejects with the reason of the abort', async () => {
  const receiver = await serveRaw(() => {});
  const reason = new Error('our time is up');

  const abortedBefore = start()(`http://${receiver.host}/`, { signal: AbortSignal.abort(reason) });
  const controller = new AbortController();
  const abortedLater = start()(`http://${receiver.host}/`, { signal: controller.signal });
  setTimeout(() => controller.abort(reason), 50);

  await expect(abortedBefore).rejects.toBe(reason);
  await expect(abortedLater).rejects.toBe(reason);
});

describe('a connection of the HTTP sender', () => {
  test('to a port where no server listens fails with connection_refused', async () => {
    const server = net.createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as net.AddressInfo;
    await new Promise((resolve) => server.close(resolve));

    expect((await start()(`http://127.0.0.1:${port}/`)).error?.code).toBe('connection_refused');
  });

  test('that was used before and is closed before a response is replaced: the POST is sent again on a second connection and gets 200', async () => {
    const receiver = await serveRaw((socket, request, connection) => {
      if (connection === 0 && !request.includes('/first')) socket.destroy();
      else socket.write(ok);
    });
    const post = start();

    await post(`http://${receiver.host}/first`);
    const answer = await post(`http://${receiver.host}/`);

    expect(answer).toMatchObject({ status: 200, error: null });
    expect(receiver.received).toHaveLength(2);
  });

  test('that replaces a dead connection is new, although two more connections are idle: the receiver sees 4 connections', async () => {
    const receiver = await serveRaw((socket, request) => {
      if (request.includes('/first')) setTimeout(() => socket.write(ok), 30);
      else if (request.includes('/die')) socket.destroy();
    });
    const post = start();
    await Promise.all([1, 2, 3].map(() => post(`http://${receiver.host}/first`)));

    const { error } = await post(`http://${receiver.host}/die`);

    expect(error?.code).toBe('connection_reset');
    expect(receiver.received).toHaveLength(4);
  });

  test.each([
    ['that was idle for 5 s is not used again, even if no timer ran: 3 POSTs use 2 connections', [5000], 2],
    [
      'that was used for a minute is not used again: 23 POSTs in 63 s use 2 connections',
      [3000, ...Array.from({ length: 20 }, () => 3000)],
      2,
    ],
  ])('%s', async (_, pausesMs, connections) => {
    const receiver = await serveRaw((socket) => socket.write(ok));
    const post = start();
    vi.useFakeTimers({ toFake: ['Date'] });
    onTestFinished(() => void vi.useRealTimers());

    await post(`http://${receiver.host}/`);
    for (const pauseMs of pausesMs) {
      vi.setSystemTime(Date.now() + pauseMs);
      await post(`http://${receiver.host}/`);
    }
    await post(`http://${receiver.host}/`);

    expect(receiver.received).toHaveLength(connections);
  });

  test('that dies is replaced only once, and not after the first byte of a response: both POSTs end with connection_reset', async () => {
    const dying = await serveRaw((socket, request) =>
      request.includes('/first') ? socket.write(ok) : socket.destroy(),
    );
    const starting = await serveRaw((socket, request) =>
      request.includes('/first') ? socket.write(ok) : socket.end('H'),
    );
    const post = start();
    for (const { host } of [dying, starting]) await post(`http://${host}/first`);

    const answers = [await post(`http://${dying.host}/`), await post(`http://${starting.host}/`)];

    expect(answers.map(({ error }) => error?.code)).toEqual(['connection_reset', 'connection_reset']);
    expect(dying.received).toHaveLength(2);
    expect(starting.received).toHaveLength(1);
  });

  test('that is new and dies is not replaced: the POST ends with connection_reset, and the receiver sees 1 connection', async () => {
    const receiver = await serveRaw((socket) => socket.destroy());

    expect((await start()(`http://${receiver.host}/`)).error?.code).toBe('connection_reset');
    expect(receiver.received).toHaveLength(1);
  });
});

describe('a POST of the HTTP sender', () => {
  test.each([
    'http://127.0.0.1/',
    'http://2130706433/',
    'http://0x7f.1/',
    'http://0177.0.0.1/',
    'http://[::1]/',
    'http://[::ffff:127.0.0.1]/',
    'http://[64:ff9b::7f00:1]/',
    'http://[2002:7f00:1::]/',
    'http://169.254.169.254/',
    'http://localhost/',
    'http://user@example.com/',
    'http://example.com:9001/',
    'http://own.example/',
  ])('to %s fails with forbidden_address, without a DNS lookup', async (url) => {
    const lookup = vi.fn(toLoopback);
    const post = start({ allowLoopback: false, lookup, ownHosts: ['own.example'] });

    const answer = await post(url);

    expect(answer).toMatchObject({ status: null, body: null, error: { code: 'forbidden_address' } });
    expect(lookup).not.toHaveBeenCalled();
  });

  test.each([[['127.0.0.1']], [['93.184.216.34', '10.0.0.1']], [['::ffff:93.184.216.34']]])(
    'to a name with the addresses %j fails with forbidden_address',
    async (addresses) => {
      const lookup = async () => addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
      const post = start({ allowLoopback: false, lookup });

      expect((await post('http://rebind.example/')).error?.code).toBe('forbidden_address');
    },
  );

  test('looks the name up again for each new connection: the second POST fails with forbidden_address after the name moved to 10.0.0.1', async () => {
    const answers = ['127.0.0.1', '10.0.0.1'];
    const lookup = async () => [{ address: answers.shift() ?? '10.0.0.1', family: 4 }];
    const receiver = await serveRaw((socket) => socket.end(ok));
    const post = start({ lookup, dnsCacheMs: 0 });
    const url = `http://a.localhost:${receiver.host.split(':')[1]}/`;

    const first = await post(url);
    const second = await post(url);

    expect(first).toMatchObject({ status: 200, error: null });
    expect(second).toMatchObject({ status: null, error: { code: 'forbidden_address' } });
    expect(receiver.received).toHaveLength(1);
  });

  test('connects to the address that was checked: two POSTs to a name on two connections make one lookup', async () => {
    const lookup = vi.fn(toLoopback).mockImplementationOnce(toLoopback).mockRejectedValue(new Error('asked again'));
    const receiver = await serveRaw((socket) => socket.end(ok));
    const post = start({ lookup });
    const url = `http://a.localhost:${receiver.host.split(':')[1]}/`;

    const answers = [await post(url), await post(url)];

    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
    expect(lookup).toHaveBeenCalledTimes(1);
    expect(receiver.received[0]).toContain(`\r\nHost: a.localhost:`);
  });

  test('fails with forbidden_address and sends no byte if the address of the open connection is not allowed', async () => {
    const receiver = await serveRaw((socket) => socket.end(ok));
    const egress = createEgress({ allowLoopback: true, lookup: toLoopback });
    onTestFinished(() => egress.close());
    const sender = createSender({ egress: { ...egress, isAllowedAddress: () => false }, ownHosts: [] });

    const answer = await sender.post({
      url: `http://${receiver.host}/`,
      headers: {},
      body: 'secret',
      timeoutMs: 500,
      allowHttp: true,
    });

    expect(answer.error?.code).toBe('forbidden_address');
    expect(receiver.received.join('')).toBe('');
  });

  test('to a name that the name server does not know fails with the code dns and no status', async () => {
    const post = start({ lookup: () => Promise.reject(new Error('ENOTFOUND')) });

    expect(await post('http://nowhere.example/')).toMatchObject({ status: null, error: { code: 'dns' } });
  });
});

test("the HTTP sender's error for a redirect, a forbidden address, a server without TLS and a refused connection contains no URL, header or address", async () => {
  const receiver = await serveRaw((socket) =>
    socket.end('HTTP/1.1 302 Found\r\nlocation: /s3cret\r\ncontent-length: 0\r\n\r\n'),
  );
  const post = start({ lookup: async () => [{ address: '10.9.8.7', family: 4 }] });
  const headers = { 'x-key': 's3cret' };

  const answers = await Promise.all([
    post(`http://${receiver.host}/s3cret?token=s3cret`, { headers }),
    post('http://rebind.example/?token=s3cret', { headers }),
    post(`https://${receiver.host}/?token=s3cret`, { headers, timeoutMs: 300 }),
    post('http://127.0.0.1:1/?token=s3cret', { headers }),
  ]);

  for (const { error } of answers) expect(error?.message).not.toMatch(/s3cret|token|10\.9|127\.0|rebind|http:/);
});
