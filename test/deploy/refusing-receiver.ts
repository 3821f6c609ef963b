import { once } from 'node:events';
import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';

export interface Received {
  readonly atMs: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly answered: number;
}

export interface RefusingReceiver {
  readonly url: string;
  readonly received: readonly Received[];
  stop(): Promise<void>;
}

/** A receiver on loopback that refuses the first request for each body and takes those after it. */
export const startRefusingReceiver = async (): Promise<RefusingReceiver> => {
  const received: Received[] = [];
  const server = createServer(async (request, response) => {
    const body = await text(request);
    const answered = received.some((earlier) => earlier.body === body) ? 200 : 503;
    const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)]));
    received.push({ atMs: Date.now(), headers, body, answered });
    response.writeHead(answered).end();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('no port could be had');
  const stop = async (): Promise<void> => {
    server.close();
    server.closeAllConnections();
    await once(server, 'close');
  };
  return { url: `http://127.0.0.1:${address.port}/webhooks`, received, stop };
};
