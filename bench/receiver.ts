import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

// A process of its own, so that receiving is not charged to the sender.
// `/quick` answers at once, `/slow` after 100 ms, `/stall` never. Told `take`, it reports what came since it was last asked.

export interface Received {
  readonly path: string;
  /** Milliseconds since the epoch. */
  readonly atMs: number;
  /** From the event's time to its arrival here. */
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
