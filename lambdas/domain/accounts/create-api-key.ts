import { type Actor, auditEntry, type StoredAuditEntry } from '../foundation/audit.ts';
import { PassPostError } from '../foundation/errors.ts';
import { drawId } from '../foundation/id.ts';
import {
  type AnswerWithSecret,
  answerOnce,
  type FirstAnswer,
  type IdempotentRequest,
} from '../foundation/idempotency.ts';
import { type KeySettings, keySettingsOf, type StoredAccount } from './account.ts';
import { type ApiKey, type Caller, drawApiKey, type Scope, type StoredApiKey, showApiKey } from './api-key.ts';

/** A key and the hash it is kept by. */
export interface HashedApiKey {
  readonly hash: string;
  readonly key: StoredApiKey;
}

/** The first answer that a write leaves for its repeats. */
export interface LeftAnswer<T> extends FirstAnswer<T> {
  readonly idempotencyKey: string;
  readonly path: string;
}

export interface NewApiKeys {
  firstAnswer(
    accountId: string,
    path: string,
    idempotencyKey: string,
    nowMs: number,
  ): Promise<FirstAnswer<ApiKey> | null>;
  /** Null where there is no such account. */
  account(accountId: string): Promise<StoredAccount | null>;
  /** Adds the key with its audit entry while the account's settings are the key's and nobody deletes it, or nothing. */
  add(
    added: HashedApiKey,
    left: LeftAnswer<ApiKey> | null,
    entry: StoredAuditEntry,
    nowMs: number,
  ): Promise<'added' | 'repeated' | 'account_changed' | 'busy'>;
}

export interface KeyRequest extends IdempotentRequest {
  readonly caller: Caller;
  readonly by: Actor;
  readonly nowMs: number;
}

/** Nobody makes a key that may more than his own: neither a scope more nor, with a test key, live data. */
export const requireMayCreate = (
  caller: Caller,
  { scopes, mode }: { readonly scopes: readonly string[]; readonly mode: 'live' | 'test' },
): void => {
  const missing = scopes.filter((scope) => !caller.scopes.includes(scope));
  if (missing.length > 0) {
    throw new PassPostError(
      'forbidden',
      `A key can only make keys with scopes it has; it lacks ${missing.join(', ')}.`,
    );
  }
  if (caller.mode === 'test' && mode === 'live') {
    throw new PassPostError('forbidden', 'A test key can only make test keys.');
  }
};

/** A key that has not counted yet. */
export const newApiKey = (
  of: KeySettings & { readonly accountId: string; readonly name: string; readonly scopes: readonly string[] },
  mode: 'live' | 'test',
  nowMs: number,
): HashedApiKey & { readonly secret: string } => {
  const { key: secret, hash, prefix } = drawApiKey(mode);
  const { accountId: account_id, name, limit, retention_days } = of;
  const scopes = [...new Set(of.scopes)];
  const created_at = new Date(nowMs).toISOString();
  const id = drawId('key', nowMs);
  const unused = { ws: 0, n: 0, expires_at: null, revoked_at: null };
  return {
    secret,
    hash,
    key: { id, account_id, name, prefix, scopes, mode, limit, retention_days, created_at, ...unused },
  };
};

/** Adds a key to the caller's account, in the place of the one named or of none. */
export const addApiKey = (
  request: KeyRequest,
  path: string,
  wanted: { readonly name: string; readonly scopes: readonly string[]; readonly mode: 'live' | 'test' },
  keys: NewApiKeys,
  replacedId: string | null = null,
): Promise<AnswerWithSecret<ApiKey> | 'repeated'> => {
  const { caller, by, contentHash, idempotencyKey, nowMs } = request;
  const accountId = caller.accountId ?? '';
  const attempt = async (triesLeft: number): Promise<AnswerWithSecret<ApiKey> | 'repeated'> => {
    const account = await keys.account(accountId);
    if (account === null) throw new PassPostError('forbidden', 'This key belongs to no account.');
    if ((account.deleting_until ?? 0) > nowMs) {
      throw new PassPostError('conflict', 'This account is being deleted: it gets no new keys.');
    }
    const { secret, ...added } = newApiKey({ ...wanted, ...keySettingsOf(account), accountId }, wanted.mode, nowMs);
    const answer = showApiKey(added.key);
    const left = idempotencyKey === null ? null : { idempotencyKey, path, contentHash, answer };
    const entry =
      replacedId === null
        ? auditEntry(by, 'key.created', added.key.id, nowMs)
        : auditEntry(by, 'key.rotated', replacedId, nowMs);
    const outcome = await keys.add(added, left, entry, nowMs);
    if (outcome === 'added') return { answer, secret };
    if (outcome === 'repeated') return 'repeated';
    if (triesLeft > 0) return attempt(triesLeft - 1);
    throw new PassPostError('conflict', 'Too many changes of keys at once. Please try again.');
  };
  return attempt(3);
};

/** Makes a key. It is shown in this answer and never again. */
export const createApiKey = (
  request: KeyRequest,
  wanted: { readonly name: string; readonly scopes: readonly Scope[]; readonly mode?: 'live' | 'test' | undefined },
  keys: NewApiKeys,
): Promise<AnswerWithSecret<ApiKey>> => {
  const { caller, nowMs } = request;
  const path = '/keys';
  const key = { ...wanted, mode: wanted.mode ?? caller.mode };
  requireMayCreate(caller, key);
  return answerOnce(
    request,
    (idempotencyKey) => keys.firstAnswer(caller.accountId ?? '', path, idempotencyKey, nowMs),
    () => addApiKey(request, path, key, keys),
  );
};
