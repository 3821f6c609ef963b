import type { InvocationResult } from '../functions/execution-environment.ts';
import type { GatewayEvent } from './gateway-event.ts';

/**
 * A Lambda authorizer: a function that allows or refuses a request by one header, before the route's own function is
 * invoked.
 */
export interface Authorizer {
  readonly functionName: string;
  /** The header's name in lower case. */
  readonly header: string;
  /**
   * How many milliseconds a decision is cached for all requests with the same header value; 0 means that decisions are
   * not cached.
   */
  readonly cacheMs: number;
  /** Whether a permission of the template lets API Gateway invoke the function. */
  readonly isPermitted: boolean;
}

export type Authorization =
  | { readonly isAuthorized: true; readonly context: unknown }
  | { readonly isAuthorized: false; readonly status: 401 | 403 | 500; readonly message: string };

interface SimpleResponse {
  readonly isAuthorized?: unknown;
  readonly context?: unknown;
}

const refusal = (status: 401 | 403 | 500, message: string): Authorization => ({ isAuthorized: false, status, message });

/**
 * Creates a function that authorizes a request as API Gateway does (payload format 2.0 with simple responses):
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-lambda-authorizer.html
 */
export const createAuthorize = (
  invoke: (functionName: string, event: unknown) => Promise<InvocationResult>,
  clock: () => number = Date.now,
): ((authorizer: Authorizer, event: GatewayEvent) => Promise<Authorization>) => {
  const cache = new Map<string, { readonly authorization: Authorization; readonly untilMs: number }>();

  return async ({ functionName, header, cacheMs, isPermitted }, event) => {
    const value = (event.headers as Readonly<Record<string, string>>)[header] ?? '';
    // A request without the header gets 401, and the authorizer is not invoked.
    if (value === '') return refusal(401, 'Unauthorized');
    if (!isPermitted) return refusal(500, 'Internal Server Error');
    const cacheKey = `${functionName} ${value}`;
    const cached = cache.get(cacheKey);
    if (cached && clock() < cached.untilMs) return cached.authorization;
    const { body: _, ...rest } = event;
    const result = await invoke(functionName, { ...rest, type: 'REQUEST', identitySource: [value] });
    if (!result.ok) return refusal(500, 'Internal Server Error');
    const { isAuthorized, context } = result.payload as SimpleResponse;
    const authorization: Authorization =
      isAuthorized === true ? { isAuthorized, context: context ?? {} } : refusal(403, 'Forbidden');
    if (cacheMs > 0) cache.set(cacheKey, { authorization, untilMs: clock() + cacheMs });
    return authorization;
  };
};
