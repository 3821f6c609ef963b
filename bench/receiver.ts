import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

// The receiver runs in its own process, so that its CPU time is not measured with the sender's.
// `/quick` answers immediately, `/slow` after 100 ms, `/stall` never. The message `count` returns the number of requests
// since the last `take`; `take` returns and forgets these requests.

export interface Received {
  readonly path: string;
  /** Time of the request's arrival, in milliseconds since the epoch. */
  readonly atMs: number;
  /** Time from the event's creation to the request's arrival, in milliseconds. */
  readonly latencyMs: number;
}

let received: Received[] = [];

const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const atMs = Date.now();
    const path = request.url ?? '/';
    const body = JSON.parse(Buffer.concat(chunks).toString()) as { created_at: string };
    received.push({ path, atMs, latencyMs: atMs - Date.parse(body.created_at) });
    if (path.startsWith('/stall')) return;
    setTimeout(() => response.writeHead(200).end(), path.startsWith('/slow') ? 100 : 0);
  });
});
server.keepAliveTimeout = 60_000;
server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }));

process.on('message', (message) => {
  if (message === 'count') process.send?.({ count: received.length });
  if (message === 'take') {
    process.send?.({ received });
    received = [];
  }
});
process.on('disconnect', () => process.exit(0));
