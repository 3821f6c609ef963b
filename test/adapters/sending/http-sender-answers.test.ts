import type net from 'node:net';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { serveRaw } from '../../helpers/receiver.ts';
import { ok, start } from '../../helpers/sender.ts';

const timeout = 'HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-length: 0\r\n\r\n';
const open408 = 'HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\n\r\n';

describe('an answer of 408', () => {
  test('with close on a reused connection makes the sender send again on a new connection, once', async () => {
    let requests = 0;
    const receiver = await serveRaw((socket, _, connection) => {
      requests++;
      if (connection > 0 || requests === 1) socket.write(ok);
      else socket.end(timeout);
    });
    const post = start();

    const first = await post(`http://${receiver.host}/`);
    const second = await post(`http://${receiver.host}/`);

    expect([first.status, second.status, second.body]).toEqual([200, 200, 'ok']);
    expect([requests, receiver.received.length]).toEqual([3, 2]);
  });

  test.each([
    ['with close on a new connection', (socket: net.Socket) => socket.end(timeout), 1],
    [
      'without close on a reused connection',
      (socket: net.Socket, first: boolean) => socket.write(first ? ok : open408),
      2,
    ],
  ])('%s is the answer of the attempt', async (_, answer, posts) => {
    let requests = 0;
    const receiver = await serveRaw((socket) => answer(socket, ++requests === 1));
    const post = start();

    let last = await post(`http://${receiver.host}/`);
    for (let count = 1; count < posts; count++) last = await post(`http://${receiver.host}/`);

    expect([last.status, last.error, requests, receiver.received.length]).toEqual([408, null, posts, 1]);
  });
});

describe('an answer in a content encoding that was not asked for', () => {
  const text = 'Rejected: ø 🔑 '.repeat(20);
  const bodyFor = async (encoding: string, bytes: Uint8Array) => {
    const receiver = await serveRaw((socket) => {
      socket.write(`HTTP/1.1 400 Bad\r\ncontent-encoding: ${encoding}\r\ncontent-length: ${bytes.length}\r\n\r\n`);
      socket.end(bytes);
    });
    const { status, body, error } = await start()(`http://${receiver.host}/`);
    return [status, body, error];
  };

  test.each([
    ['gzip', gzipSync(text)],
    ['X-GZIP', gzipSync(text)],
    ['deflate', deflateSync(text)],
    ['br', brotliCompressSync(text)],
    ['identity', Buffer.from(text)],
  ])(
    'the body of a receiver’s answer with content-encoding %s is decoded and stored as text',
    async (encoding, bytes) => {
      expect(await bodyFor(encoding, bytes)).toEqual([400, text, null]);
    },
  );

  test.each([
    ['gzip', gzipSync(Buffer.alloc(64 * 1024 + 1))],
    ['gzip', Buffer.from('not gzip')],
    ['zstd', Buffer.from([0x28, 0xb5, 0x2f, 0xfd])],
    ['gzip, br', brotliCompressSync(gzipSync(text))],
    ['constructor', Buffer.from('abc')],
  ])(
    '%s that cannot be decoded within 64 KiB is stored as a note of its length and encoding',
    async (encoding, bytes) => {
      expect(await bodyFor(encoding, bytes)).toEqual([
        400,
        `[${bytes.length} bytes in the content encoding ${encoding}]`,
        null,
      ]);
    },
  );
});
