import type * as z from 'zod';
import type { Caller, Scope } from '../domain/accounts/api-key.ts';
import type { Actor } from '../domain/foundation/audit.ts';
import type { IdPrefix } from '../domain/foundation/id.ts';
import type { Owner } from '../domain/foundation/owner.ts';

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** One call of an API as data: what it takes and what it gives. The router validates with it and the OpenAPI document is made of it. */
export interface Operation {
  /** OpenAPI's operationId, camelCase. */
  readonly id: string;
  readonly method: Method;
  /** With `{name}` for parameters. */
  readonly path: string;
  /** What `{id}` is an id of: one of any other form cannot exist, so it is a 404 before anything is read. */
  readonly idPrefix?: IdPrefix;
  readonly tag: string;
  readonly summary: string;
  readonly description?: string;
  /** `null`: needs no key. */
  readonly scope: Scope | null;
  readonly query?: z.ZodObject;
  readonly body?: z.ZodType;
  /** An absent body is read as `{}`. */
  readonly isBodyOptional?: boolean;
  /** Takes an `Idempotency-Key`. */
  readonly isIdempotent?: boolean;
  /** By status, what a success answers; `null` for no body. */
  readonly responses: Readonly<Record<number, z.ZodType | null>>;
  /** Error statuses it can answer beyond those that every call can. */
  readonly errors?: readonly number[];
  /** A body as it may be sent. */
  readonly example?: unknown;
  /** A body as it may be answered on success. */
  readonly exampleAnswer?: unknown;
}

type Output<T, Fallback> = T extends z.ZodType ? z.output<T> : Fallback;

/** A request that has been authenticated, counted and validated. */
export interface ApiRequest<O extends Operation = Operation> {
  readonly requestId: string;
  /** Of the trace it belongs to, where it does. */
  readonly traceId: string | undefined;
  readonly caller: Caller;
  /** The caller's account and mode. Meaningless for the operator's key. */
  readonly owner: Owner;
  readonly params: Readonly<Record<string, string>>;
  readonly query: Output<O['query'], Record<string, never>>;
  readonly body: Output<O['body'], undefined>;
  readonly idempotencyKey: string | null;
  /** A hash of the body's content, whatever its member order. */
  readonly contentHash: string;
  /** The caller as the audit names him. */
  readonly by: Actor;
  /** For how many days the account's data can be read, where that is its own. */
  readonly retentionDays: number | undefined;
  readonly nowMs: number;
}

export interface ApiResponse {
  readonly status: number;
  /** Sent as JSON; a string or bytes as they stand, with the `content-type` among the headers. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** An operation with what performs it. */
export interface Route<O extends Operation = Operation> {
  readonly operation: O;
  // A method, not a property: so that routes of all kinds fit into one list.
  perform(request: ApiRequest<O>): Promise<ApiResponse>;
}

export const route = <const O extends Operation>(
  operation: O,
  perform: (request: ApiRequest<O>) => Promise<ApiResponse>,
): Route<O> => ({ operation, perform });
