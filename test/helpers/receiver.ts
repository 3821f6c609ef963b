import type http from 'node:http';
import net, { type AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

const listen = async (server: net.Server): Promise<number> => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
};

/** Starts the server on a free port of loopback and stops it after the test. Returns its host and port. */
export const serve = async (server: http.Server): Promise<string> => {
  onTestFinished(() => server.closeAllConnections());
  return `127.0.0.1:${await listen(server)}`;
};

export interface RawReceiver {
  readonly host: string;
  /** The received bytes as text, one entry per connection. */
  readonly received: string[];
}

/** Starts a server that lets `answer` write any bytes as soon as the head of a request has arrived. */
export const serveRaw = async (
  answer: (socket: net.Socket, request: string, connection: number) => void,
): Promise<RawReceiver> => {
  const received: string[] = [];
  const sockets = new Set<net.Socket>();
  const server = net.createServer((socket) => {
    const connection = received.push('') - 1;
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('data', (chunk) => {
      const text = chunk.toString('latin1');
      received[connection] += text;
      if (text.includes('\r\n\r\n')) answer(socket, text, connection);
    });
  });
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
  });
  return { host: `127.0.0.1:${await listen(server)}`, received };
};
