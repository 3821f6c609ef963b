import { hash } from 'node:crypto';
import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import type { Caller } from '../domain/accounts/api-key.ts';
import { contentHash } from '../domain/foundation/content-hash.ts';
import { type FieldError, refuseFaults } from '../domain/foundation/errors.ts';
import { ownerKey } from '../domain/foundation/owner.ts';
import { type CursorScope, faultOfCursor, type Position } from '../domain/foundation/page.ts';
import { clientAddress } from './front-door.ts';
import type { ApiRequest, Operation, Route } from './operation.ts';
import { readJsonBody } from './request-body.ts';
import { collectFaults, readIdempotencyKey, readQuery, validate, validPart } from './validation.ts';

/** What the handler knows of a request before it reads the request's content. */
interface RequestFacts {
  readonly requestId: string;
  readonly traceId: string | undefined;
  readonly nowMs: number;
  readonly caller: Caller | null;
}

type Params = Readonly<Record<string, string>>;

const NOBODY: Caller = { keyId: '', accountId: null, scopes: [], mode: 'live' };

/** Matches the scopes of lists that are the same in both modes of an account. */
const OF_BOTH_MODES = /^(?:keys:|audit:|admin$)/;

/**
 * Returns the Idempotency-Key as it is stored. The keys of each customer count by themselves, so that no customer gets the
 * answer of another one.
 */
const keyOfCustomer = (idempotencyKey: string, customer: string | null): string =>
  customer === null ? idempotencyKey : `${hash('sha256', customer, 'base64url')}:${idempotencyKey}`;

const readContent = (event: APIGatewayProxyEventV2, operation: Operation, faults: FieldError[]): unknown => {
  if (!operation.body) return undefined;
  const { 'content-type': contentType, 'content-encoding': contentEncoding } = event.headers;
  const raw = { body: event.body, isBase64Encoded: event.isBase64Encoded, contentType, contentEncoding };
  const body = readJsonBody(raw, operation.isBodyOptional ?? false);
  faults.push(...body.faults);
  return body.content;
};

/** Returns the query. Adds its faults to `faults`, also that of a cursor of another list. */
const readFilter = (
  event: APIGatewayProxyEventV2,
  operation: Operation,
  scopeOf: (filter: object) => CursorScope,
  faults: FieldError[],
) => {
  const query = collectFaults(faults, () => readQuery(operation.query, event.rawQueryString)) ?? {};
  const { cursor, limit, ...filter } = query as { cursor?: Position; limit?: number };
  const cursorScope = scopeOf(filter);
  // Without a valid filter, the scope of the cursor is unknown.
  const fault = cursor && faults.length === 0 ? faultOfCursor(cursor, cursorScope) : null;
  if (fault) faults.push(fault);
  return { query, cursorScope };
};

/**
 * Reads and checks query, body and Idempotency-Key of a request. Throws `invalid` with all faults together, and other
 * errors if the body cannot be read.
 */
export const readRequest = async (
  event: APIGatewayProxyEventV2,
  { operation, checkPart }: Route,
  { requestId, traceId, nowMs, caller: authenticated }: RequestFacts,
  params: Params,
): Promise<ApiRequest> => {
  const caller = authenticated ?? NOBODY;
  const accountId = caller.accountId ?? '';
  const owner = ownerKey({ accountId, mode: caller.mode });
  const faults: FieldError[] = [];
  const customer = caller.customer ?? null;
  const listOwner = OF_BOTH_MODES.test(operation.scope ?? '') ? accountId : owner;
  const scopeOf = (filter: object): CursorScope =>
    JSON.stringify([listOwner, operation.id, params, filter, ...(customer === null ? [] : [customer])]);
  const { query, cursorScope } = readFilter(event, operation, scopeOf, faults);
  const content = readContent(event, operation, faults);
  const bodySchema = operation.body;
  const body = bodySchema && collectFaults(faults, () => validate(bodySchema, content));
  const idempotencyKey = collectFaults(faults, () =>
    operation.isIdempotent ? readIdempotencyKey(event.headers['idempotency-key']) : null,
  );
  const request = {
    ...params,
    requestId,
    traceId,
    caller,
    accountId,
    owner,
    customer,
    query: query as ApiRequest['query'],
    body: body as ApiRequest['body'],
    cursorScope,
    idempotencyKey: idempotencyKey ? keyOfCustomer(idempotencyKey, customer) : null,
    // Few calls compare the content, so the hash is made when it is read.
    get contentHash() {
      return contentHash(content ?? null);
    },
    by: {
      accountId,
      keyId: caller.keyId,
      ip: clientAddress(event),
      name: caller.name ?? '',
      isOperator: caller.accountId === null,
    },
    retentionDays: caller.retentionDays,
    taskRetentionDays: caller.taskRetentionDays,
    nowMs,
  };
  if (faults.length === 0) return request;
  if (bodySchema && checkPart) {
    const partFaults = await checkPart({ ...request, content, body: validPart(bodySchema, content) });
    faults.push(...partFaults.filter(({ path }) => faults.every((earlier) => earlier.path !== path)));
  }
  refuseFaults(faults);
  return request;
};
