import http from 'node:http';
import https from 'node:https';
import net from 'node:net';
import tls from 'node:tls';
import { describe, expect, onTestFinished, test } from 'vitest';
import { serve } from '../../helpers/receiver.ts';
import { selfSigned } from '../../helpers/self-signed.ts';
import { start, toLoopback } from '../../helpers/sender.ts';

describe('the HTTP sender over TLS', () => {
  const certificate = selfSigned(['receiver.example', 'a.localhost']);
  const serveTls = async (options: https.ServerOptions = certificate) =>
    (
      await serve(https.createServer(options, (request, response) => response.end(`${request.socket.remotePort}`)))
    ).split(':')[1];
  const trust = () => {
    const before = tls.getCACertificates();
    tls.setDefaultCACertificates([...before, certificate.cert]);
    onTestFinished(() => tls.setDefaultCACertificates(before));
  };

  test('uses one connection for two POSTs, and a new one for a third POST after the server closed the first; all three get 200', async () => {
    trust();
    const server = https.createServer(certificate, (request, response) => response.end(`${request.socket.remotePort}`));
    const host = await serve(server);
    const post = start();

    const first = await post(`https://${host}/`);
    const second = await post(`https://${host}/`);
    server.closeAllConnections();
    const third = await post(`https://${host}/`);

    expect([first, second, third].map(({ status, error }) => [status, error])).toEqual([
      [200, null],
      [200, null],
      [200, null],
    ]);
    expect(second.body).toBe(first.body);
    expect(third.body).not.toBe(first.body);
  });

  test('accepts a certificate that names the host of the URL, and fails with the code tls for a host that it does not name', async () => {
    trust();
    const port = await serveTls();
    const post = start({ lookup: toLoopback });

    expect(await post(`https://a.localhost:${port}/`)).toMatchObject({ status: 200, error: null });
    expect(await post(`https://b.localhost:${port}/`)).toMatchObject({ status: null, error: { code: 'tls' } });
  });

  test('fails with the code tls if the certificate is not trusted', async () => {
    expect((await start()(`https://127.0.0.1:${await serveTls()}/`)).error?.code).toBe('tls');
  });

  test('fails with the code tls if a trusted certificate has expired', async () => {
    const old = selfSigned([], Date.now() - 1000);
    const before = tls.getCACertificates();
    tls.setDefaultCACertificates([...before, old.cert]);
    onTestFinished(() => tls.setDefaultCACertificates(before));

    expect((await start()(`https://127.0.0.1:${await serveTls(old)}/`)).error?.code).toBe('tls');
  });

  test.each([
    ['answers in plain HTTP', (socket: net.Socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')],
    ['closes the connection', (socket: net.Socket) => socket.destroy()],
  ])('fails with the code tls at a port that %s', async (_, answer) => {
    const server = net.createServer((socket) => {
      socket.on('error', () => {});
      socket.once('data', () => answer(socket));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void server.close());

    const response = await start()(`https://127.0.0.1:${(server.address() as net.AddressInfo).port}/`);

    expect(response.error?.code).toBe('tls');
  });

  test('fails with the code tls when the receiver requires a client certificate', async () => {
    trust();
    const port = await serveTls({ ...certificate, requestCert: true, rejectUnauthorized: true, ca: certificate.cert });

    expect((await start()(`https://127.0.0.1:${port}/`)).error?.code).toBe('tls');
  });

  test.each([
    ['expired', () => selfSigned([], Date.now() - 1000), 'has expired'],
    ['not yet valid', () => selfSigned([], Date.now() + 7_200_000, Date.now() + 3_600_000), 'is not valid yet'],
  ])('says why if a trusted certificate is %s', async (_, create, reason) => {
    const other = create();
    const before = tls.getCACertificates();
    tls.setDefaultCACertificates([...before, other.cert]);
    onTestFinished(() => tls.setDefaultCACertificates(before));

    const { error } = await start()(`https://127.0.0.1:${await serveTls(other)}/`);

    expect(error).toEqual({ code: 'tls', message: `The receiver's certificate ${reason}.` });
  });

  test('says why if the certificate is self-signed, is for another name, or there is no common protocol or no TLS', async () => {
    const untrusted = await start()(`https://127.0.0.1:${await serveTls()}/`);
    trust();
    const post = start({ lookup: toLoopback });
    const otherName = await post(`https://b.localhost:${await serveTls()}/`);
    const old = await post(
      `https://a.localhost:${await serveTls({ ...certificate, maxVersion: 'TLSv1.1', minVersion: 'TLSv1.1' })}/`,
    );
    const plain = await post(`https://${await serve(http.createServer((_, response) => response.end()))}/`);

    expect([untrusted, otherName, old, plain].map(({ error }) => [error?.code, error?.message])).toEqual([
      ['tls', "The receiver's certificate is self-signed."],
      ['tls', "The receiver's certificate is for another host name."],
      ['tls', 'The receiver supports no version of TLS that PassPost supports.'],
      ['tls', 'The receiver does not answer in TLS on this port.'],
    ]);
  });
});
