import middy from '@middy/core';
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import type { Caller, Quota } from '../domain/accounts/api-key.ts';
import { drawId } from '../domain/foundation/id.ts';
import { ownerKey } from '../domain/foundation/owner.ts';
import { type Authenticate, authenticateCaller, quotaToHeaders, requireScope } from './authentication.ts';
import { requireOwn } from './bound-keys.ts';
import { service, xrayHeader } from './config.ts';
import { describeError, log } from './log.ts';
import { publishMetrics } from './metrics.ts';
import { namedIds } from './named-ids.ts';
import type { ApiResponse, Operation, Route } from './operation.ts';
import { encodeProblem, errorToProblem, type Surface } from './problem.ts';
import { readRequest } from './read-request.ts';
import { router } from './router.ts';
import { staticResponse } from './static-file.ts';
import { traceIdOf } from './trace.ts';

export interface HttpOptions {
  /** The family of calls, or a function that derives the family from the path. */
  readonly surface: Surface | ((path: string) => Surface);
  /** Checks the API key of a request; required if any route has a scope. */
  readonly authenticate?: Authenticate;
  /** Returns the AWS calls and capacity units of the request, for the request's log line. */
  readonly use?: () => { readonly throttles?: number };
  readonly now?: () => number;
  /**
   * Returns the customer of the thing with an id of the path; null = the account itself, undefined = there is no such
   * thing. Required if a route is for bound keys and has an id in its path.
   */
  readonly customerOf?: (owner: string, id: string, nowMs: number) => Promise<string | null | undefined>;
}

type Result = APIGatewayProxyStructuredResultV2;

/** Facts about one request, collected for its answer and its log line. */
interface Journey {
  requestId: string;
  traceId: string | undefined;
  nowMs: number;
  /** The ids in the path of the request, and for a write also the ids in the answer. */
  ids: readonly string[];
  operation: Operation | null;
  caller: Caller | null;
  quota: Quota | null;
}

const responseToResult = ({ status, body, headers = {} }: ApiResponse): Result => {
  if (body === undefined) return { statusCode: status, headers: { ...headers } };
  if (typeof body === 'string') return { statusCode: status, headers: { ...headers }, body };
  if (body instanceof Uint8Array) {
    const encoded = Buffer.from(body).toString('base64');
    return { statusCode: status, headers: { ...headers }, body: encoded, isBase64Encoded: true };
  }
  return {
    statusCode: status,
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  };
};

/**
 * Creates the handler of a function behind the gateway. In this order the handler finds the route (404, 405),
 * authenticates and counts the request (401, 429, 503), checks the scope (403), reads query and body (400, 413, 415,
 * 422) and performs the call. Every answer and every error has the format of the surface.
 */
export const httpHandler = (routes: readonly Route[], options: HttpOptions) => {
  const { authenticate, use, now = Date.now, customerOf } = options;
  const surfaceOf = ({ rawPath }: APIGatewayProxyEventV2): Surface =>
    typeof options.surface === 'function' ? options.surface(rawPath) : options.surface;
  const find = router(routes);

  const answer = async (event: APIGatewayProxyEventV2, journey: Journey): Promise<Result> => {
    const { route, params } = find(event.requestContext.http.method, event.rawPath);
    const { operation } = route;
    journey.operation = operation;
    if (operation.scope !== null) {
      if (!authenticate) throw new Error(`${operation.id} has a scope, but the handler has no authenticate`);
      const authorization = event.headers.authorization;
      journey.caller = await authenticateCaller(
        surfaceOf(event),
        authenticate,
        authorization,
        journey.nowMs,
        (quota) => {
          journey.quota = quota;
        },
      );
      requireScope(journey.caller, { ...operation, scope: operation.scope });
      await requireOwn(journey.caller, operation, params, journey.nowMs, customerOf);
    }
    journey.ids = namedIds(params);
    const response = await route.perform(await readRequest(event, route, journey, params));
    if (operation.method !== 'GET') journey.ids = namedIds(params, response.body);
    return responseToResult(response.isStatic ? staticResponse(response, event.headers) : response);
  };

  const journeys = new WeakMap<APIGatewayProxyEventV2, Journey>();
  const journeyOf = (event: APIGatewayProxyEventV2): Journey => {
    const existing = journeys.get(event);
    if (existing) return existing;
    const nowMs = now();
    const journey: Journey = {
      requestId: drawId('req', nowMs),
      traceId: traceIdOf(xrayHeader(), event.headers?.traceparent),
      nowMs,
      ids: [],
      operation: null,
      caller: null,
      quota: null,
    };
    journeys.set(event, journey);
    return journey;
  };

  const finish = async (event: APIGatewayProxyEventV2, result: Result): Promise<Result> => {
    const journey = journeyOf(event);
    const { caller } = journey;
    const aws = use?.();
    log('info', 'request.answered', {
      request_id: journey.requestId,
      trace_id: journey.traceId,
      operation: journey.operation?.id ?? null,
      status: result.statusCode,
      // The dimension of the metric that CloudWatch counts from the lines with status 401.
      ...(result.statusCode === 401 ? { service } : {}),
      duration_ms: now() - journey.nowMs,
      key_id: caller?.keyId ?? null,
      owner: caller?.accountId ? ownerKey({ accountId: caller.accountId, mode: caller.mode }) : null,
      ids: journey.ids,
      aws,
    });
    await publishMetrics({
      rateLimited: result.statusCode === 429 ? 1 : 0,
      unavailable: result.statusCode === 503 ? 1 : 0,
      throttles: aws?.throttles,
    });
    // HEAD gets the answer of GET without its body: https://www.rfc-editor.org/rfc/rfc9110#section-9.3.2
    const isHead = event.requestContext.http.method === 'HEAD' && journey.operation !== null;
    const { body, isBase64Encoded, ...headOnly } = result;
    return {
      ...(isHead ? headOnly : result),
      headers: {
        'cache-control': 'no-store',
        'x-content-type-options': 'nosniff',
        ...result.headers,
        ...(journey.quota ? quotaToHeaders(journey.quota, journey.nowMs) : {}),
        'x-request-id': journey.requestId,
      },
    };
  };

  return middy<APIGatewayProxyEventV2, Result>()
    .after(async (request) => {
      request.response = await finish(request.event, request.response ?? {});
    })
    .onError(async (request) => {
      const problem = errorToProblem(request.error);
      if (!problem || problem.code === 'unavailable') {
        const request_id = journeyOf(request.event).requestId;
        log('error', 'request.failed', { request_id, error: describeError(request.error) });
      }
      request.response = await finish(request.event, encodeProblem(surfaceOf(request.event), problem));
    })
    .handler(async (event: APIGatewayProxyEventV2) => answer(event, journeyOf(event)));
};
