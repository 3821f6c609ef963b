import { type Actor, auditEntry, type StoredAuditEntry } from '../foundation/audit.ts';
import { notFound, PassPostError } from '../foundation/errors.ts';
import { type AnswerWithSecret, answerOnce } from '../foundation/idempotency.ts';
import { SECOND_MS } from '../foundation/time.ts';
import type { ApiKey, Caller } from './api-key.ts';
import {
  addApiKey,
  type HashedApiKey,
  type KeyRequest,
  type NewApiKeys,
  requireMayCreate,
  scopeOf,
} from './create-api-key.ts';
import type { ListedApiKey } from './key-list.ts';

export interface LivingApiKeys {
  find(accountId: string, keyId: string): Promise<HashedApiKey | null>;
  /** Sets the time at which an API key expires, unless the key expires earlier. */
  expire(accountId: string, expiring: HashedApiKey, endMs: number): Promise<void>;
  /** Revokes an API key and adds the audit entry, in one transaction. Returns false if the key was revoked before. */
  revoke(accountId: string, revoked: ListedApiKey, entry: StoredAuditEntry, nowMs: number): Promise<boolean>;
}

/**
 * Creates an API key that replaces another key. The old key stays valid for the overlap. The new key and the old key's
 * expiry are two writes, because a transaction would conflict with the counter of a busy key. If the second write
 * fails, a repeat of the request makes it. Both keys count as living during the overlap. Throws `not_found`,
 * `forbidden`, `too_many_keys`, or `conflict` for an expired key.
 */
export const rotateApiKey = async (
  request: KeyRequest,
  keyId: string,
  overlapSeconds: number,
  keys: NewApiKeys & LivingApiKeys,
): Promise<AnswerWithSecret<ApiKey>> => {
  const { caller, nowMs } = request;
  const accountId = caller.accountId ?? '';
  const path = `/keys/${keyId}/rotate`;
  const old = await keys.find(accountId, keyId);
  const rotated = await answerOnce(
    request,
    (idempotencyKey) => keys.firstAnswer(scopeOf(caller), path, idempotencyKey, nowMs),
    async () => {
      if (!old || old.key.revoked_at !== null) throw notFound('key');
      requireMayCreate(caller, old.key);
      if (old.key.expires_at !== null && old.key.expires_at <= nowMs) {
        throw new PassPostError('conflict', 'This key has expired.');
      }
      return addApiKey(request, path, old.key, keys, keyId);
    },
  );
  const endMs = Date.parse(rotated.answer.created_at) + overlapSeconds * SECOND_MS;
  if (old) await keys.expire(accountId, old, endMs);
  return rotated;
};

/**
 * Revokes an API key. A test key cannot revoke a live key, and a key cannot revoke a key with scopes that it lacks, as it
 * cannot create such a key. Throws `not_found` or `forbidden`.
 */
export const revokeApiKey = async (
  { caller, by, nowMs }: { readonly caller: Caller; readonly by: Actor; readonly nowMs: number },
  keyId: string,
  keys: LivingApiKeys,
): Promise<void> => {
  const accountId = caller.accountId ?? '';
  const revoked = await keys.find(accountId, keyId);
  if (!revoked) throw notFound('key');
  if (caller.mode === 'test' && revoked.key.mode === 'live') {
    throw new PassPostError('forbidden', 'A test key can only revoke test keys.');
  }
  const missing = revoked.key.scopes.filter((scope) => !caller.scopes.includes(scope));
  if (missing.length > 0) {
    throw new PassPostError(
      'forbidden',
      `A key can only revoke keys whose scopes it has itself. It lacks ${missing.join(', ')}.`,
    );
  }
  const entry = auditEntry(by, 'key.revoked', keyId, nowMs);
  if (!(await keys.revoke(accountId, { id: keyId, hash: revoked.hash }, entry, nowMs))) throw notFound('key');
};
