import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { InvocationResult } from '../functions/execution-environment.ts';
import { type Authorizer, createAuthorize } from './authorizer.ts';
import { gatewayEvent, pathOf } from './gateway-event.ts';
import type { createRouteTable } from './routes.ts';

export interface Gateway {
  readonly port: number;
  readonly url: string;
  /**
   * Starts to serve requests. Until `open` is called, every request gets 503. `admits` is called for each request, and
   * refuses it with 429 if it returns false.
   */
  open(match: RouteTable, invoke: Invoke, admits: () => boolean, onResponse?: (status: number) => void): void;
  stop(): Promise<void>;
}

/** The function of a route, and the route's authorizer if it has one. */
export interface RouteTarget {
  readonly functionName: string;
  /** Whether a permission of the template lets API Gateway invoke the function for a call with this HTTP method. */
  mayInvoke(method: string): boolean;
  readonly authorizer: Authorizer | undefined;
}

type RouteTable = ReturnType<typeof createRouteTable<RouteTarget>>;
type Invoke = (functionName: string, event: unknown) => Promise<InvocationResult>;

/**
 * API Gateway's limits: the size of a request body, and the time for a function's response.
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html
 */
const MAX_BODY_BYTES = 10 * 1024 * 1024;
const INTEGRATION_TIMEOUT_MS = 30_000;

const refuse = (response: ServerResponse, status: number, message: string): void => {
  if (response.headersSent || response.destroyed) return;
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify({ message }));
};

/** Reads a request's body. Returns null if the body is longer than API Gateway accepts. */
const readBody = async (request: IncomingMessage): Promise<Buffer | null> => {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    // A body that is too long is still read to its end, because a response before the end would not reach the client.
    if (length <= MAX_BODY_BYTES) chunks.push(chunk);
  }
  return length > MAX_BODY_BYTES ? null : Buffer.concat(chunks);
};

interface ShapedResponse {
  readonly statusCode?: unknown;
  readonly headers?: Readonly<Record<string, unknown>>;
  readonly cookies?: readonly string[];
  readonly body?: string;
  readonly isBase64Encoded?: boolean;
}

/** Sends a function's result as the HTTP response. A result without `statusCode` is sent as the body. */
const respond = (response: ServerResponse, payload: unknown, requestId: string, method: string | undefined): void => {
  const isShaped = typeof payload === 'object' && payload !== null && 'statusCode' in payload;
  const shaped: ShapedResponse = isShaped
    ? payload
    : { statusCode: 200, headers: { 'content-type': 'application/json' }, body: JSON.stringify(payload) ?? '' };
  const status = Number(shaped.statusCode);
  if (!Number.isInteger(status) || status < 200 || status > 599) {
    refuse(response, 500, 'Internal Server Error');
    return;
  }
  const body = Buffer.from(shaped.body ?? '', shaped.isBase64Encoded ? 'base64' : 'utf8');
  for (const [name, value] of Object.entries(shaped.headers ?? {})) response.setHeader(name, String(value));
  if (shaped.cookies) response.setHeader('set-cookie', shaped.cookies);
  response.setHeader('apigw-requestid', requestId);
  if (!response.hasHeader('content-type') && body.length > 0) {
    response.setHeader('content-type', 'text/plain;charset=utf-8');
  }
  // The length of an absent body is unknown: the answer to HEAD describes the answer to GET.
  if (status !== 204 && status !== 304 && method !== 'HEAD') response.setHeader('content-length', body.length);
  response.writeHead(status).end(body);
};

const within = async <T>(ms: number, work: Promise<T>): Promise<T | undefined> => {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  const timer = setTimeout(resolve, ms, undefined);
  return await Promise.race([work, promise]).finally(() => clearTimeout(timer));
};

/**
 * Starts the API's HTTP server on loopback; port 0 takes any free port. Throws if the port is in use. The stack starts
 * the server before all other parts, so that a port in use is found first.
 */
export const startGateway = async (port: number): Promise<Gateway> => {
  let match: RouteTable | undefined;
  let invoke: Invoke | undefined;
  let authorize: ReturnType<typeof createAuthorize> | undefined;
  let admit: () => boolean = () => true;
  let notify: ((status: number) => void) | undefined;

  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    if (!match || !invoke || !authorize) return refuse(response, 503, 'Service Unavailable');
    if (!admit()) {
      request.resume();
      return refuse(response, 429, 'Too Many Requests');
    }
    const route = match(request.method ?? 'GET', pathOf(request.url ?? '/'));
    const body = await readBody(request);
    if (body === null) return refuse(response, 413, 'Request Entity Too Large');
    if (!route) return refuse(response, 404, 'Not Found');
    const { functionName, authorizer, mayInvoke } = route.target;
    const event = gatewayEvent(request, body, route.key, route.pathParameters);
    if (authorizer) {
      const authorization = await authorize(authorizer, event);
      if (!authorization.isAuthorized) return refuse(response, authorization.status, authorization.message);
      event.requestContext.authorizer = { lambda: authorization.context };
    }
    if (!mayInvoke(request.method ?? 'GET')) return refuse(response, 500, 'Internal Server Error');
    const result = await within(INTEGRATION_TIMEOUT_MS, invoke(functionName, event));
    if (!result) return refuse(response, 503, 'Service Unavailable');
    if (!result.ok) return refuse(response, 500, 'Internal Server Error');
    respond(response, result.payload, event.requestContext.requestId, request.method);
  };

  const server = createServer((request, response) => {
    response.once('finish', () => notify?.(response.statusCode));
    // `serve` rejects, for example, if the client closed its connection inside the body or the function returned an
    // invalid header.
    serve(request, response).catch(() => refuse(response, 500, 'Internal Server Error'));
  });
  server.keepAliveTimeout = 65_000;
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const isTaken = error.code === 'EADDRINUSE';
      reject(isTaken ? new Error(`Port ${port} is in use: choose another port with PORT.`) : error);
    });
    server.listen(port, '127.0.0.1', resolve);
  });
  const address = server.address() as AddressInfo;

  return {
    port: address.port,
    url: `http://127.0.0.1:${address.port}`,
    open(routeTable, invokeFunction, admits, onResponse) {
      admit = admits;
      match = routeTable;
      invoke = invokeFunction;
      authorize = createAuthorize(invokeFunction);
      notify = onResponse;
    },
    async stop() {
      const { promise, resolve } = Promise.withResolvers<void>();
      server.close(() => resolve());
      server.closeAllConnections();
      await promise;
    },
  };
};
