import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** One received request. `number` counts the requests of the same delivery, from 1. */
export interface Post {
  readonly deliveryId: string;
  readonly eventId: string;
  readonly number: number;
  readonly atMs: number;
}

/** Returns the status to answer, or `null` if the function writes the response itself. */
export type Responder = (post: Post, response: ServerResponse) => number | null | Promise<number | null>;

/** A receiver's URL and its received requests. */
export interface Endpoint {
  readonly url: string;
  readonly posts: Post[];
}

export interface WebhookReceiver {
  /** Opens a new URL for one webhook. */
  open(answer: Responder): Endpoint;
  stop(): void;
}

/** Starts a server on loopback that many webhooks share, each with its own path. */
export const startWebhookReceiver = async (): Promise<WebhookReceiver> => {
  const endpoints = new Map<string, { endpoint: Endpoint; answer: Responder }>();
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    const opened = endpoints.get((request.url ?? '').replace(/\?.*/, ''));
    if (!opened) return response.writeHead(404).end();
    const { posts } = opened.endpoint;
    const deliveryId = String(request.headers['x-passpost-delivery-id']);
    const post = {
      deliveryId,
      eventId: (JSON.parse(Buffer.concat(chunks).toString()) as { id: string }).id,
      number: posts.filter((earlier) => earlier.deliveryId === deliveryId).length + 1,
      atMs: Date.now(),
    };
    posts.push(post);
    const status = await opened.answer(post, response);
    if (status !== null) response.writeHead(status).end();
    return undefined;
  });
  server.keepAliveTimeout = 60_000;
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  return {
    open(answer) {
      const path = `/${endpoints.size + 1}`;
      const endpoint: Endpoint = { url: origin + path, posts: [] };
      endpoints.set(path, { endpoint, answer });
      return endpoint;
    },
    stop() {
      server.closeAllConnections();
      server.close();
    },
  };
};
