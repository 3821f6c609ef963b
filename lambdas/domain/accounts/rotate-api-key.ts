import { type Actor, auditEntry, type StoredAuditEntry } from '../foundation/audit.ts';
import { notFound, PassPostError } from '../foundation/errors.ts';
import { type AnswerWithSecret, answerOnce } from '../foundation/idempotency.ts';
import { SECOND_MS } from '../foundation/time.ts';
import type { ApiKey, Caller } from './api-key.ts';
import { addApiKey, type HashedApiKey, type KeyRequest, type NewApiKeys, requireMayCreate } from './create-api-key.ts';

/** A key as the listing of its account names it. */
export interface ListedApiKey {
  readonly id: string;
  readonly hash: string;
}

export interface LivingApiKeys {
  find(accountId: string, keyId: string): Promise<HashedApiKey | null>;
  /** Ends a key at a time, unless its end is nearer already. */
  expire(accountId: string, expiring: HashedApiKey, endMs: number): Promise<void>;
  /** Ends a key at once, everywhere, and leaves the entry. False where it was gone already. */
  revoke(accountId: string, revoked: ListedApiKey, entry: StoredAuditEntry, nowMs: number): Promise<boolean>;
}

/**
 * Makes a key that takes the place of another, which goes on living for the overlap. Two writes, so that a busy key's
 * counter is never in a transaction's way; a repeat of the request makes up for a second that did not come to pass.
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
    (idempotencyKey) => keys.firstAnswer(accountId, path, idempotencyKey, nowMs),
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

/** Ends a key. A test key cannot end a live one: it could not make it anew either. */
export const revokeApiKey = async (
  { caller, by, nowMs }: { readonly caller: Caller; readonly by: Actor; readonly nowMs: number },
  keyId: string,
  keys: LivingApiKeys,
): Promise<void> => {
  const accountId = caller.accountId ?? '';
  const found = await keys.find(accountId, keyId);
  if (!found) throw notFound('key');
  if (caller.mode === 'test' && found.key.mode === 'live') {
    throw new PassPostError('forbidden', 'A test key can only revoke test keys.');
  }
  const entry = auditEntry(by, 'key.revoked', keyId, nowMs);
  if (!(await keys.revoke(accountId, { id: keyId, hash: found.hash }, entry, nowMs))) throw notFound('key');
};
