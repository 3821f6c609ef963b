import { text } from 'node:stream/consumers';
import { serveOnLoopback } from '../../deploy/loopback-server.ts';

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

/** A receiver on loopback that refuses the first request with a body and accepts later requests with the same body. */
export const startRefusingReceiver = async (): Promise<RefusingReceiver> => {
  const received: Received[] = [];
  const server = await serveOnLoopback(async (request, response) => {
    const body = await text(request);
    const answered = received.some((earlier) => earlier.body === body) ? 200 : 503;
    const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)]));
    received.push({ atMs: Date.now(), headers, body, answered });
    response.writeHead(answered).end();
  });
  return { url: `${server.url}/webhooks`, received, stop: server.stop };
};
