import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, beforeEach } from 'vitest';

interface Put {
  readonly method: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Record<string, unknown>;
}

export interface ResponseUrl {
  readonly url: string;
  /** All received PUTs, including refused ones. */
  readonly puts: Put[];
  /** Number of the next PUTs that are refused with 503. */
  refusals: number;
}

/** A response URL on loopback, to which the function of a custom resource sends its result. Emptied before each test. */
export const useResponseUrl = (): ResponseUrl => {
  const address: { -readonly [K in keyof ResponseUrl]: ResponseUrl[K] } = { url: '', puts: [], refusals: 0 };
  const server = createServer(async (request, response) => {
    const body = JSON.parse(await text(request)) as Put['body'];
    address.puts.push({ method: request.method ?? '', headers: request.headers, body });
    response.writeHead(address.refusals-- > 0 ? 503 : 200).end();
  });
  beforeAll(async () => {
    await once(server.listen(0, '127.0.0.1'), 'listening');
    address.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/answer?signature=1`;
  });
  beforeEach(() => {
    address.puts.length = 0;
    address.refusals = 0;
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });
  return address;
};
