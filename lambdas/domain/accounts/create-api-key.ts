import { type Actor, auditEntry, type StoredAuditEntry } from '../foundation/audit.ts';
import { type FieldError, invalid, PassPostError, refuseFaults } from '../foundation/errors.ts';
import { drawId } from '../foundation/id.ts';
import {
  type AnswerWithSecret,
  answerOnce,
  type FirstAnswer,
  type IdempotentRequest,
  type KeyedAnswer,
} from '../foundation/idempotency.ts';
import { ownerKey } from '../foundation/owner.ts';
import { couldPassCeiling, type KeySettings, keySettingsOf, type StoredAccount } from './account.ts';
import { type ApiKey, type Caller, drawApiKey, type Scope, type StoredApiKey, showApiKey } from './api-key.ts';
import { type ApiKeyList, keysEverMade, type ListedApiKey, requireRoom } from './key-list.ts';

/**
 * An API key as its row holds it, without the text of the key, and the hash of that text, under which the row is
 * stored.
 */
export interface HashedApiKey {
  readonly hash: string;
  readonly key: StoredApiKey;
}

/** The maximum number of times that a key is added again because other requests changed the account or its list of keys. */
const MAX_RETRIES = 10;

export interface NewApiKeys {
  firstAnswer(scope: string, path: string, idempotencyKey: string, nowMs: number): Promise<FirstAnswer<ApiKey> | null>;
  /** Returns the account, or null if it does not exist. */
  account(accountId: string): Promise<StoredAccount | null>;
  /** Returns the account's list of API keys. */
  listed(accountId: string, nowMs: number): Promise<ApiKeyList>;
  /** Makes the requests of these API keys count for the account too. */
  countForAccount(keys: readonly ListedApiKey[], ceiling: number): Promise<void>;
  /**
   * Adds the key, the first answer and the audit entry, in one transaction. Adds nothing if the account's settings
   * differ from the settings in the key's row, if the account is being deleted, or if another key was added after the
   * list was read ('outdated').
   */
  add(
    added: HashedApiKey,
    list: ApiKeyList,
    firstAnswer: (KeyedAnswer<ApiKey> & { readonly scope: string }) | null,
    entry: StoredAuditEntry,
    nowMs: number,
  ): Promise<'added' | 'repeated' | 'outdated' | 'busy'>;
}

export interface KeyRequest extends IdempotentRequest {
  readonly caller: Caller;
  readonly by: Actor;
  readonly nowMs: number;
}

/** The settings of a new API key. `created_to_expire_at` is in milliseconds; null = the key does not expire. */
interface NewKeySettings {
  readonly name: string;
  readonly scopes: readonly string[];
  readonly mode: 'live' | 'test';
  /** The customer of the account to whom the key is bound; null = none. */
  readonly customer: string | null;
  readonly created_to_expire_at: number | null;
}

/**
 * Throws `forbidden` if the caller's key lacks one of the scopes, if a test key is to create a live key, or if the new
 * key would expire later than the caller's: a key cannot create a key with more rights.
 */
export const requireMayCreate = (
  caller: Caller,
  { scopes, mode, created_to_expire_at: endMs }: Omit<NewKeySettings, 'name' | 'customer'>,
): void => {
  const missing = scopes.filter((scope) => !caller.scopes.includes(scope));
  if (missing.length > 0) {
    throw new PassPostError(
      'forbidden',
      `A key can only create keys with scopes that it has itself. It lacks ${missing.join(', ')}.`,
    );
  }
  if (caller.mode === 'test' && mode === 'live') {
    throw new PassPostError('forbidden', 'A test key can only create test keys.');
  }
  const callerEndMs = caller.expiresAtMs ?? Number.POSITIVE_INFINITY;
  if ((endMs ?? Number.POSITIVE_INFINITY) > callerEndMs) {
    const end = new Date(callerEndMs).toISOString();
    throw new PassPostError('forbidden', `A key can only create keys that expire no later than itself, at ${end}.`);
  }
};

/** The scopes that a key that is bound to a customer may have: other calls concern the whole account. */
const BOUND_SCOPES = /^(?:tasks|webhooks|events):/;

const boundScopeFaults = (scopes: readonly string[]): FieldError[] =>
  scopes.flatMap((scope, index) =>
    BOUND_SCOPES.test(scope)
      ? []
      : [{ path: `scopes.${index}`, code: 'not_for_owner', message: 'concerns the whole account, not one owner' }],
  );

/** Draws a new, unused API key. Does not store it. */
export const newApiKey = (
  details: KeySettings & {
    readonly accountId: string;
    readonly name: string;
    readonly scopes: readonly string[];
    readonly customer?: string | null;
    readonly created_to_expire_at?: number | null;
    readonly counts_for_account: boolean;
  },
  mode: 'live' | 'test',
  nowMs: number,
): HashedApiKey & { readonly secret: string } => {
  const { key: secret, hash, prefix } = drawApiKey(mode);
  const { accountId: account_id, name, limit, customer = null, created_to_expire_at = null } = details;
  const { requests_per_minute, counts_for_account, retention_days, task_retention_days } = details;
  const fromAccount = { limit, requests_per_minute, counts_for_account, retention_days, task_retention_days };
  const scopes = [...new Set(details.scopes)];
  const created_at = new Date(nowMs).toISOString();
  const id = drawId('key', nowMs);
  const unused = { ws: 0, n: 0, expires_at: created_to_expire_at, created_to_expire_at, revoked_at: null };
  return {
    secret,
    hash,
    key: { id, account_id, name, prefix, scopes, mode, customer, ...fromAccount, created_at, ...unused },
  };
};

/** Returns the scope of the caller's Idempotency-Keys: they count within an account and mode. */
export const scopeOf = ({ accountId, mode }: Caller): string => ownerKey({ accountId: accountId ?? '', mode });

/**
 * Adds an API key to the caller's account and returns it. `replacedId` = the key that a rotation replaces. Throws
 * `forbidden`, `too_many_keys` or `conflict`.
 */
export const addApiKey = (
  request: KeyRequest,
  path: string,
  settings: NewKeySettings,
  keys: NewApiKeys,
  replacedId: string | null = null,
): Promise<AnswerWithSecret<ApiKey> | 'repeated'> => {
  const { caller, by, contentHash, idempotencyKey, nowMs } = request;
  const accountId = caller.accountId ?? '';
  const attempt = async (triesLeft: number): Promise<AnswerWithSecret<ApiKey> | 'repeated'> => {
    const [account, list] = await Promise.all([keys.account(accountId), keys.listed(accountId, nowMs)]);
    if (account === null) throw new PassPostError('forbidden', 'This key belongs to no account.');
    if ((account.deleting_until ?? 0) > nowMs) {
      throw new PassPostError('conflict', 'This account is being deleted. It gets no new keys.');
    }
    requireRoom(list);
    const fromAccount = keySettingsOf(account);
    const counts_for_account = list.countsForAccount || couldPassCeiling(keysEverMade(list) + 1, fromAccount);
    // The other keys begin to count before the new key exists, so the keys that do not count can never pass the ceiling.
    if (counts_for_account && !list.countsForAccount) {
      await keys.countForAccount(list.living, fromAccount.requests_per_minute);
    }
    const details = { ...settings, ...fromAccount, counts_for_account, accountId };
    const { secret, ...added } = newApiKey(details, settings.mode, nowMs);
    const answer = showApiKey(added.key);
    const firstAnswer =
      idempotencyKey === null ? null : { idempotencyKey, path, scope: scopeOf(caller), contentHash, answer };
    const entry =
      replacedId === null
        ? auditEntry(by, 'key.created', added.key.id, nowMs)
        : auditEntry(by, 'key.rotated', replacedId, nowMs);
    const outcome = await keys.add(added, list, firstAnswer, entry, nowMs);
    if (outcome === 'added') return { answer, secret };
    if (outcome === 'repeated') return 'repeated';
    if (triesLeft > 0) return attempt(triesLeft - 1);
    throw new PassPostError('conflict', 'Too many changes of keys at the same time. Please try again.');
  };
  return attempt(MAX_RETRIES);
};

/**
 * Creates an API key in the caller's account. The answer shows the key's secret once. Throws `forbidden`, `invalid`,
 * `too_many_keys` or `conflict`.
 */
export const createApiKey = (
  request: KeyRequest,
  settings: {
    readonly name: string;
    readonly scopes: readonly Scope[];
    readonly mode?: 'live' | 'test' | undefined;
    readonly owner?: string | null | undefined;
    readonly expires_at?: string | null | undefined;
  },
  keys: NewApiKeys,
): Promise<AnswerWithSecret<ApiKey>> => {
  const { caller, nowMs } = request;
  const path = '/keys';
  const { name, scopes, mode = caller.mode, owner: customer = null, expires_at } = settings;
  const created_to_expire_at = expires_at ? Date.parse(expires_at) : null;
  const key = { name, scopes, mode, customer, created_to_expire_at };
  if (customer !== null) refuseFaults(boundScopeFaults(scopes));
  requireMayCreate(caller, key);
  return answerOnce(
    request,
    (idempotencyKey) => keys.firstAnswer(scopeOf(caller), path, idempotencyKey, nowMs),
    async () => {
      if (created_to_expire_at !== null && created_to_expire_at <= nowMs) {
        throw invalid('expires_at', 'in_the_past', 'must be in the future');
      }
      return addApiKey(request, path, key, keys);
    },
  );
};
