import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** One request as it came in. `number` counts those of the same delivery, from 1. */
export interface Post {
  readonly deliveryId: string;
  readonly eventId: string;
  readonly number: number;
  readonly atMs: number;
}

/** The status to answer; `null` leaves the answer to whoever holds the response. */
export type Answering = (post: Post, response: ServerResponse) => number | null | Promise<number | null>;

/** A webhook's receiver: where it is, and what has come in. */
export interface Endpoint {
  readonly url: string;
  readonly posts: Post[];
}

export interface WebhookReceiver {
  /** A place of its own for one webhook. */
  open(answer: Answering): Endpoint;
  stop(): void;
}

/** A server on loopback that many webhooks share, each under a path of its own. */
export const startWebhookReceiver = async (): Promise<WebhookReceiver> => {
  const places = new Map<string, { endpoint: Endpoint; answer: Answering }>();
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    const place = places.get((request.url ?? '').replace(/\?.*/, ''));
    if (!place) return response.writeHead(404).end();
    const { posts } = place.endpoint;
    const deliveryId = String(request.headers['x-passpost-delivery-id']);
    const post = {
      deliveryId,
      eventId: (JSON.parse(Buffer.concat(chunks).toString()) as { id: string }).id,
      number: posts.filter((earlier) => earlier.deliveryId === deliveryId).length + 1,
      atMs: Date.now(),
    };
    posts.push(post);
    const status = await place.answer(post, response);
    if (status !== null) response.writeHead(status).end();
    return undefined;
  });
  server.keepAliveTimeout = 60_000;
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  return {
    open(answer) {
      const path = `/${places.size + 1}`;
      const endpoint: Endpoint = { url: origin + path, posts: [] };
      places.set(path, { endpoint, answer });
      return endpoint;
    },
    stop() {
      server.closeAllConnections();
      server.close();
    },
  };
};
