import * as z from 'zod';
import type { KeyCheck } from '../../lambdas/domain/accounts/api-key.ts';
import { httpHandler } from '../../lambdas/runtime/http.ts';
import { type ApiRequest, type Operation, route } from '../../lambdas/runtime/operation.ts';
import type { Surface } from '../../lambdas/runtime/problem.ts';
import { type ApiCall, callApi } from './api-call.ts';

const common = { tag: 'thing', summary: '', responses: { 200: null } } as const;
const bodySchema = z.strictObject({
  name: z.string().min(1),
  place: z.strictObject({ city: z.string() }).optional(),
  kind: z.enum(['a', 'b']).optional(),
  data: z.unknown().optional(),
});
const create = {
  ...common,
  id: 'create',
  method: 'POST',
  path: '/things',
  scope: 'tasks:write',
  body: bodySchema,
  isIdempotent: true,
} as const satisfies Operation;
const list = {
  ...common,
  id: 'list',
  method: 'GET',
  path: '/things',
  scope: 'tasks:read',
  query: z.strictObject({ size: z.string().optional() }),
} as const satisfies Operation;
const read = {
  ...common,
  id: 'read',
  method: 'GET',
  path: '/things/{id}',
  scope: 'tasks:read',
  idPrefix: 'tsk',
} as const satisfies Operation;
const go = {
  ...common,
  id: 'go',
  method: 'POST',
  path: '/things/{id}/go',
  scope: null,
  body: z.strictObject({}),
  isBodyOptional: true,
} as const satisfies Operation;

export const nowMs = Date.parse('2026-11-16T09:30:00.000Z');
export const id = 'tsk_01KA8Z3M9Q4T7V2X5B8D1F6H0J';
export const key = 'pp_live_0123456789abcdef';
export const quota = { limit: 120, remaining: 50, resetAtMs: nowMs + 29_001 };
export const caller = {
  keyId: 'key_1',
  accountId: 'acc_1',
  scopes: ['tasks:read', 'tasks:write'],
  mode: 'live' as const,
};
export const passed = { outcome: 'passed', caller, quota } as const satisfies KeyCheck;

/** A handler with four operations. The test chooses the result of the key check, the surface, and an error that every call throws. */
export const handlerWith = ({
  check = passed,
  surface = 'native',
  fail,
  headers = {},
}: {
  check?: KeyCheck | Error;
  surface?: Surface;
  fail?: unknown;
  headers?: Readonly<Record<string, string>>;
} = {}) => {
  const seen: ApiRequest[] = [];
  const perform = async (request: unknown) => {
    seen.push(request as ApiRequest);
    if (fail) throw fail;
    return { status: 200, body: { ok: true }, headers };
  };
  const authenticate = async () => {
    if (check instanceof Error) throw check;
    return check;
  };
  const routes = [route(create, perform), route(list, perform), route(read, perform), route(go, perform)];
  return { seen, handler: httpHandler(routes, { surface, authenticate, now: () => nowMs }) };
};

export const post = (options: ApiCall) => {
  const { seen, handler } = handlerWith();
  return callApi(handler, 'POST', '/things', { key, ...options }).then((answer) => ({ ...answer, seen }));
};
