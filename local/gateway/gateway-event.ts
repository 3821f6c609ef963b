import { isUtf8 } from 'node:buffer';
import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { ACCOUNT } from '../template/intrinsics.ts';

const isTextType = (contentType: string | undefined): boolean =>
  contentType !== undefined && /^\s*(text\/|application\/([\w.+-]+\+)?(json|xml|javascript)\b)/i.test(contentType);

const decode = (text: string): string => {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
};

/** Returns the path of a request URL as the gateway passes it to functions: without the query and decoded once. */
export const pathOf = (url: string): string => decode(url.split('?', 1)[0] ?? '/');

const queryOf = (rawQuery: string): Record<string, string> | undefined => {
  if (rawQuery === '') return undefined;
  const values: Record<string, string> = {};
  for (const [name, value] of new URLSearchParams(rawQuery)) {
    values[name] = Object.hasOwn(values, name) ? `${values[name]},${value}` : value;
  }
  return values;
};

const headersOf = (request: IncomingMessage): Record<string, string> => {
  const headers: Record<string, string> = {};
  for (const [name, values] of Object.entries(request.headersDistinct)) {
    if (name !== 'cookie' && values) headers[name] = values.join(',');
  }
  return headers;
};

export interface GatewayEvent {
  readonly requestContext: {
    readonly requestId: string;
    /** The context that the route's authorizer returned for this request. */
    authorizer?: { readonly lambda: unknown };
    readonly [name: string]: unknown;
  };
  readonly [name: string]: unknown;
}

/**
 * Returns the event that API Gateway makes of an HTTP request, in payload format 2.0:
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
 */
export const gatewayEvent = (
  request: IncomingMessage,
  body: Buffer,
  routeKey: string,
  pathParameters: Readonly<Record<string, string>> | undefined,
): GatewayEvent => {
  const url = request.url ?? '/';
  const path = pathOf(url);
  const rawQueryString = url.slice(url.indexOf('?') + 1 || url.length);
  const query = queryOf(rawQueryString);
  const headers = headersOf(request);
  const host = request.headers.host ?? '';
  const isText = isTextType(request.headers['content-type']) && isUtf8(body);
  const now = new Date();
  const method = request.method ?? 'GET';
  return {
    version: '2.0',
    routeKey,
    rawPath: path,
    rawQueryString,
    ...(request.headers.cookie === undefined ? {} : { cookies: request.headers.cookie.split(/;\s*/) }),
    headers,
    ...(query ? { queryStringParameters: query } : {}),
    requestContext: {
      accountId: ACCOUNT,
      apiId: 'local',
      domainName: host,
      domainPrefix: 'local',
      http: {
        method,
        path,
        protocol: `HTTP/${request.httpVersion}`,
        sourceIp: (request.socket.remoteAddress ?? '').replace(/^::ffff:/, ''),
        userAgent: request.headers['user-agent'] ?? '',
      },
      requestId: randomUUID(),
      routeKey,
      stage: '$default',
      time: now.toISOString(),
      timeEpoch: now.getTime(),
    },
    ...(pathParameters ? { pathParameters } : {}),
    ...(body.length > 0 ? { body: body.toString(isText ? 'utf8' : 'base64') } : {}),
    isBase64Encoded: body.length > 0 && !isText,
  };
};
