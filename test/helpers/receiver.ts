import type http from 'node:http';
import net, { type AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

const listening = async (server: net.Server): Promise<number> => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
};

/** A server on a port of its own until the test is over. */
export const serve = async (server: http.Server): Promise<string> => {
  onTestFinished(() => server.closeAllConnections());
  return `127.0.0.1:${await listening(server)}`;
};

export interface RawReceiver {
  readonly host: string;
  /** What came in, by connection. */
  readonly received: string[];
}

/** A server that answers bytes, whatever they are, as soon as a request's head is there. */
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
  return { host: `127.0.0.1:${await listening(server)}`, received };
};
