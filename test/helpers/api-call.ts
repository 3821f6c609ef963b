import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2, Context } from 'aws-lambda';

import { pathOf } from '../../local/gateway/gateway-event.ts';
import { noteAnswer, noteAuthorization, noteRequest } from '../secrecy/notes.ts';

export type ApiHandler = (event: APIGatewayProxyEventV2, context: Context) => unknown;

export interface ApiCall {
  readonly key?: string | undefined;
  /** Sent as JSON. A string or bytes are sent unchanged. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly query?: string;
  readonly sourceIp?: string;
}

// biome-ignore lint/suspicious/noExplicitAny: each test expects another shape, and its assertions check that shape
export type Json = any;

export interface ApiAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
  /** The body as it is sent. */
  readonly bytes: Buffer;
  readonly json: Json;
}

const eventOf = (method: string, path: string, call: ApiCall): APIGatewayProxyEventV2 => {
  const rawPath = pathOf(path);
  const { key, body, headers = {}, query = '', sourceIp = '192.0.2.1' } = call;
  const isBytes = body instanceof Uint8Array;
  const text = typeof body === 'string' ? body : isBytes ? Buffer.from(body).toString('base64') : JSON.stringify(body);
  return {
    version: '2.0',
    routeKey: '$default',
    rawPath,
    rawQueryString: query,
    headers: {
      host: 'api.example.test',
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
      ...headers,
    },
    requestContext: {
      accountId: '000000000000',
      apiId: 'api',
      domainName: 'api.example.test',
      domainPrefix: 'api',
      http: { method, path: rawPath, protocol: 'HTTP/1.1', sourceIp, userAgent: 'test' },
      requestId: 'gateway',
      routeKey: '$default',
      stage: '$default',
      time: '',
      timeEpoch: 0,
    },
    ...(body === undefined ? {} : { body: text }),
    isBase64Encoded: isBytes,
  };
};

/** Sends one request to a function's handler, as the gateway would. */
export const callApi = async (
  handler: ApiHandler,
  method: string,
  path: string,
  call: ApiCall = {},
): Promise<ApiAnswer> => {
  noteAuthorization(call.key);
  noteAuthorization(call.headers?.authorization);
  const event = eventOf(method, path, call);
  noteRequest(event.body);
  const result = (await handler(event, {} as Context)) as APIGatewayProxyStructuredResultV2;
  const bytes = Buffer.from(result.body ?? '', result.isBase64Encoded ? 'base64' : 'utf8');
  const text = bytes.toString();
  noteAnswer(text);
  const headers = result.headers as Record<string, string>;
  const isJson = text !== '' && headers['content-encoding'] === undefined && /json/.test(headers['content-type'] ?? '');
  return { status: result.statusCode ?? 0, headers, text, bytes, json: isJson ? JSON.parse(text) : undefined };
};
