import type { InvocationResult } from '../functions/execution-environment.ts';
import type { GatewayEvent } from './gateway-event.ts';

/** A function that is asked about the value of a header before a route's own is. */
export interface Authorizer {
  readonly functionName: string;
  /** In lower case. */
  readonly header: string;
  /** How long an answer holds for all requests with the same value. */
  readonly keptMs: number;
}

export type ResponseClass =
  | { readonly isAuthorized: true; readonly context: unknown }
  | { readonly isAuthorized: false; readonly status: 401 | 403 | 500; readonly message: string };

interface SimpleAnswer {
  readonly isAuthorized?: unknown;
  readonly context?: unknown;
}

const refusal = (status: 401 | 403 | 500, message: string): ResponseClass => ({ isAuthorized: false, status, message });

/** https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-lambda-authorizer.html, format 2.0 with simple answers. */
export const createJudge = (
  invoke: (functionName: string, event: unknown) => Promise<InvocationResult>,
  clock: () => number = Date.now,
): ((authorizer: Authorizer, event: GatewayEvent) => Promise<ResponseClass>) => {
  const kept = new Map<string, { readonly responseClass: ResponseClass; readonly untilMs: number }>();

  return async ({ functionName, header, keptMs }, event) => {
    const value = (event.headers as Readonly<Record<string, string>>)[header] ?? '';
    // Without the header nobody is asked.
    if (value === '') return refusal(401, 'Unauthorized');
    const name = `${functionName} ${value}`;
    const last = kept.get(name);
    if (last && clock() < last.untilMs) return last.responseClass;
    const { body: _, ...rest } = event;
    const result = await invoke(functionName, { ...rest, type: 'REQUEST', identitySource: [value] });
    if (!result.ok) return refusal(500, 'Internal Server Error');
    const { isAuthorized, context } = result.payload as SimpleAnswer;
    const responseClass: ResponseClass =
      isAuthorized === true ? { isAuthorized, context: context ?? {} } : refusal(403, 'Forbidden');
    if (keptMs > 0) kept.set(name, { responseClass, untilMs: clock() + keptMs });
    return responseClass;
  };
};
