import * as operations from '../contract/keys.ts';
import { type ApiKey, type StoredApiKey, showApiKey } from '../domain/accounts/api-key.ts';
import { createApiKey, type NewApiKeys } from '../domain/accounts/create-api-key.ts';
import { type LivingApiKeys, revokeApiKey, rotateApiKey } from '../domain/accounts/rotate-api-key.ts';
import type { AnswerWithSecret } from '../domain/foundation/idempotency.ts';
import { type Page, pageToBody } from '../domain/foundation/page.ts';
import { type ApiResponse, type Route, replayHeaders, route } from '../runtime/operation.ts';

export interface ApiKeys extends NewApiKeys, LivingApiKeys {
  list(accountId: string, limit: number, after: string | undefined): Promise<Page<StoredApiKey>>;
}

const created = ({ answer, secret }: AnswerWithSecret<ApiKey>): ApiResponse => ({
  status: 201,
  body: secret === null ? answer : { ...answer, key: secret },
  headers: replayHeaders(secret === null),
});

/** Returns the routes of the calls about an account's API keys. */
export const keyRoutes = (keys: ApiKeys): Route[] => [
  route(operations.createKey, async (request) => created(await createApiKey(request, request.body, keys))),

  route(operations.listKeys, async ({ accountId, query, cursorScope }) => {
    const page = await keys.list(accountId, query.limit, query.cursor?.id);
    return { status: 200, body: pageToBody(page, showApiKey, cursorScope) };
  }),

  route(operations.rotateKey, async (request) =>
    created(await rotateApiKey(request, request.id, request.body.overlap_seconds, keys)),
  ),

  route(operations.revokeKey, async (request) => {
    await revokeApiKey(request, request.id, keys);
    return { status: 204 };
  }),
];
