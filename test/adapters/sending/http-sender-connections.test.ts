import net from 'node:net';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { createEgress } from '../../../lambdas/adapters/sending/egress.ts';
import { createSender } from '../../../lambdas/adapters/sending/http-sender.ts';
import { serveRaw } from '../../helpers/receiver.ts';
import { ok, start, toLoopback } from '../../helpers/sender.ts';

describe('the deadline', () => {
  test.each([
    ['an answer', () => {}],
    ['the rest of the headers', (socket: net.Socket) => socket.write('HTTP/1.1 200 OK\r\nx-a: ')],
    ['a body', (socket: net.Socket) => socket.write('HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n')],
    ['the last byte', (socket: net.Socket) => socket.write('HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nok')],
    [
      'a body that drips',
      (socket: net.Socket) => {
        socket.write('HTTP/1.1 200 OK\r\n\r\n');
        const drip = setInterval(() => socket.write('a'), 20);
        socket.on('close', () => clearInterval(drip));
      },
    ],
    [
      'headers that drip',
      (socket: net.Socket) => {
        socket.write('HTTP/1.1 200 OK\r\nx-a: ');
        const drip = setInterval(() => socket.write('a'), 20);
        socket.on('close', () => clearInterval(drip));
      },
    ],
    [
      'an end of 102s',
      (socket: net.Socket) => {
        const drip = setInterval(() => socket.write('HTTP/1.1 102 Processing\r\n\r\n'), 10);
        socket.on('close', () => clearInterval(drip));
      },
    ],
  ])('PP-8 MT-8 holds for %s', async (_, answer) => {
    const receiver = await serveRaw(answer);

    const { error, durationMs } = await start()(`http://${receiver.host}/`, { timeoutMs: 200 });

    expect(error?.code).toBe('timeout');
    expect(durationMs).toBeGreaterThanOrEqual(199);
    expect(durationMs).toBeLessThan(600);
  });

  test('holds for the name server', async () => {
    const post = start({ lookup: () => new Promise<never>(() => {}) });

    expect(await post('http://slow.example/', { timeoutMs: 100 })).toMatchObject({
      status: null,
      error: { code: 'timeout' },
    });
  });

  test('holds for the handshake', async () => {
    const silent = net.createServer();
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void silent.close());
    silent.on('connection', (socket) => onTestFinished(() => void socket.destroy()));

    const answer = await start()(`https://127.0.0.1:${(silent.address() as net.AddressInfo).port}/`, {
      timeoutMs: 150,
    });

    expect(answer).toMatchObject({ status: null, error: { code: 'timeout' } });
  });

  test('is shared by both tries', async () => {
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

  test("is not the caller's own, which is no answer", async () => {
    const receiver = await serveRaw(() => {});
    const reason = new Error('our time is up');

    const posted = start()(`http://${receiver.host}/`, { signal: AbortSignal.abort(reason) });
    const controller = new AbortController();
    const later = start()(`http://${receiver.host}/`, { signal: controller.signal });
    setTimeout(() => controller.abort(reason), 50);

    await expect(posted).rejects.toBe(reason);
    await expect(later).rejects.toBe(reason);
  });
});

describe('a connection', () => {
  test('that nobody takes is refused', async () => {
    const server = net.createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as net.AddressInfo;
    await new Promise((resolve) => server.close(resolve));

    expect((await start()(`http://127.0.0.1:${port}/`)).error?.code).toBe('connection_refused');
  });

  test('that was closed while idle is made anew', async () => {
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

  test('that takes the place of a dead one is fresh, however many are dead', async () => {
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
    ['is dropped after 4 s without use, also where no timer ran', [5000], 2],
    ['is dropped after a minute of use', [3000, ...Array.from({ length: 20 }, () => 3000)], 2],
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

  test('is made anew once only, and never after a first byte', async () => {
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

  test('that is fresh and dies is not tried again', async () => {
    const receiver = await serveRaw((socket) => socket.destroy());

    expect((await start()(`http://${receiver.host}/`)).error?.code).toBe('connection_reset');
    expect(receiver.received).toHaveLength(1);
  });
});

describe('an address', () => {
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
  ])('is not connected to: %s', async (url) => {
    const lookup = vi.fn(toLoopback);
    const post = start({ allowLoopback: false, lookup, ownHosts: ['own.example'] });

    const answer = await post(url);

    expect(answer).toMatchObject({ status: null, body: null, error: { code: 'forbidden_address' } });
    expect(lookup).not.toHaveBeenCalled();
  });

  test.each([[['127.0.0.1']], [['93.184.216.34', '10.0.0.1']], [['::ffff:93.184.216.34']]])(
    'behind a name is not connected to: %j',
    async (addresses) => {
      const lookup = async () => addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
      const post = start({ allowLoopback: false, lookup });

      expect((await post('http://rebind.example/')).error?.code).toBe('forbidden_address');
    },
  );

  test('is asked for again with every new connection', async () => {
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

  test('is the one that was checked, whatever the name gives next', async () => {
    const lookup = vi.fn(toLoopback).mockImplementationOnce(toLoopback).mockRejectedValue(new Error('asked again'));
    const receiver = await serveRaw((socket) => socket.end(ok));
    const post = start({ lookup });
    const url = `http://a.localhost:${receiver.host.split(':')[1]}/`;

    const answers = [await post(url), await post(url)];

    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
    expect(lookup).toHaveBeenCalledTimes(1);
    expect(receiver.received[0]).toContain(`\r\nHost: a.localhost:`);
  });

  test('is looked at again where the connection went', async () => {
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

  test('that no name server knows is a failure of its own', async () => {
    const post = start({ lookup: () => Promise.reject(new Error('ENOTFOUND')) });

    expect(await post('http://nowhere.example/')).toMatchObject({ status: null, error: { code: 'dns' } });
  });
});

test('no message tells the URL, a header or an address', async () => {
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
