import type * as z from 'zod';
import type { Caller, Scope } from '../domain/accounts/api-key.ts';
import type { Actor } from '../domain/foundation/audit.ts';
import type { ErrorCode, FieldError } from '../domain/foundation/errors.ts';
import type { CursorScope } from '../domain/foundation/page.ts';
import type { ResourceIdPrefix } from '../domain/foundation/resources.ts';

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** One call of an API, as data. The router validates requests with it, and the OpenAPI document is generated from it. */
export interface Operation {
  /** OpenAPI's operationId, camelCase. */
  readonly id: string;
  readonly method: Method;
  /** The path of the call. Parameters are written `{name}`. */
  readonly path: string;
  /** The prefix of the path parameter `{id}`. An id of any other form gets 404 without a read of the tables. */
  readonly idPrefix?: ResourceIdPrefix;
  readonly tag: string;
  readonly summary: string;
  readonly description?: string;
  /** The scope that the API key must have; `null`: the call needs no key. */
  readonly scope: Scope | null;
  /** Whether an operator may make the call too, with the scope `admin` in place of `scope`. */
  readonly isForOperators?: boolean;
  /**
   * What a key that is bound to a customer of the account may do. `own`: the call, for things of this customer only; with
   * `{id}` in the path, the function must know the customer of a thing (`customerOf`). `open`: the call, like any other
   * key. Absent: the call concerns the whole account, and is refused.
   */
  readonly boundKeys?: 'own' | 'open';
  readonly query?: z.ZodObject;
  readonly body?: z.ZodType;
  /** Whether the call accepts a request without a body, which is read as `{}`. */
  readonly isBodyOptional?: boolean;
  /** Whether the call accepts an `Idempotency-Key`. */
  readonly isIdempotent?: boolean;
  /** The schema of the response body for each success status; `null` for no body. */
  readonly responses: Readonly<Record<number, z.ZodType | null>>;
  /** Schemas of the first success answer in media types other than JSON, by media type. */
  readonly otherMediaTypes?: Readonly<Record<string, z.ZodType>>;
  /** Error statuses of this call, in addition to the statuses that every call has. */
  readonly errors?: readonly number[];
  /** Codes of problems that only this call and a few others answer. */
  readonly problems?: readonly ErrorCode[];
  /** An example of a request body. */
  readonly example?: unknown;
  /** An example of a response body on success. */
  readonly exampleAnswer?: unknown;
}

type Output<T, Fallback> = T extends z.ZodType ? z.output<T> : Fallback;

/** The parameters that a path names: `/webhooks/{id}` has `id`. */
type ParamsOf<Path extends string> = Path extends `${string}{${infer Name}}${infer Rest}`
  ? { readonly [K in Name]: string } & ParamsOf<Rest>
  : unknown;

/**
 * A request that has been authenticated, counted and validated. Each parameter of the path is a member of the same
 * name.
 */
export type ApiRequest<O extends Operation = Operation> = ParamsOf<O['path']> & RequestContent<O>;

interface RequestContent<O extends Operation> {
  readonly requestId: string;
  /** The X-Ray trace of the request; `undefined` if there is none. */
  readonly traceId: string | undefined;
  readonly caller: Caller;
  /** The caller's account; empty for the operator's key. */
  readonly accountId: string;
  /**
   * Account and mode of the caller as one text (`acc_…#live`), as rows and messages store them. Meaningless for the
   * operator's key.
   */
  readonly owner: string;
  /** The customer of the account to whom the caller's key is bound; null = a key of the account itself. */
  readonly customer: string | null;
  readonly query: Output<O['query'], Record<string, never>>;
  readonly body: Output<O['body'], undefined>;
  readonly idempotencyKey: string | null;
  /** A hash of the body's content, independent of the order of members. */
  readonly contentHash: string;
  /** The list that the request reads: caller, call, path and filter. A cursor is valid within one scope only. */
  readonly cursorScope: CursorScope;
  /** The caller as audit entries name it: account, API key and IP address. */
  readonly by: Actor;
  /** The account's own retention in days; `undefined` if it has none. */
  readonly retentionDays: number | undefined;
  /** Days after which settled tasks of the account are removed; `undefined` = never. */
  readonly taskRetentionDays: number | undefined;
  readonly nowMs: number;
}

export interface ApiResponse {
  readonly status: number;
  /**
   * The response body, sent as JSON. A string or bytes are sent unchanged, and `headers` must then hold the
   * `content-type`.
   */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /**
   * Whether the body is a text that is the same for every caller until the next release. It is then compressed and has an
   * `ETag`.
   */
  readonly isStatic?: boolean;
}

/**
 * Returns the header that tells a client that the response repeats the first response under the same `Idempotency-Key`;
 * no header if it does not.
 */
export const replayHeaders = (isReplay: boolean): Readonly<Record<string, string>> =>
  isReplay ? { 'idempotency-replayed': 'true' } : {};

/** An API operation and the handler that answers its requests. */
export interface Route<O extends Operation = Operation> {
  readonly operation: O;
  // `perform` is a method and not a property, because only then do routes of different operations fit into one list.
  perform(request: ApiRequest<O>): Promise<ApiResponse>;
  /**
   * Returns the faults, beyond the schema, of the valid fields of a body that has other wrong fields, so that one answer
   * names all faults. Called only if the schema refuses the body.
   */
  checkPart?(request: PartialRequest<O>): Promise<readonly FieldError[]>;
}

/**
 * A request whose body has wrong fields: `body` holds only the valid ones, with the defaults of absent fields. `content`
 * is the whole body as it was sent.
 */
export type PartialRequest<O extends Operation = Operation> = Omit<ApiRequest<O>, 'body'> & {
  readonly content: unknown;
  readonly body: Partial<ApiRequest<O>['body']>;
};

export const route = <const O extends Operation>(
  operation: O,
  perform: (request: ApiRequest<O>) => Promise<ApiResponse>,
  checkPart?: (request: PartialRequest<O>) => Promise<readonly FieldError[]>,
): Route<O> => ({ operation, perform, ...(checkPart && { checkPart }) });
