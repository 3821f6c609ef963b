import { type Actor, auditEntry, type StoredAuditEntry } from '../foundation/audit.ts';
import { PassPostError } from '../foundation/errors.ts';
import { drawId } from '../foundation/id.ts';
import {
  type AnswerWithSecret,
  answerOnce,
  type FirstAnswer,
  type IdempotentRequest,
} from '../foundation/idempotency.ts';
import { checkRetention, keySettingsOf, type StoredAccount } from './account.ts';
import { accountScopes } from './api-key.ts';
import { type HashedApiKey, type LeftAnswer, newApiKey } from './create-api-key.ts';

export interface NewAccounts {
  firstAnswer(path: string, idempotencyKey: string, nowMs: number): Promise<FirstAnswer<StoredAccount> | null>;
  /** Adds the account with its first key and its first audit entry, or nothing. */
  add(
    account: StoredAccount,
    firstKey: HashedApiKey,
    left: LeftAnswer<StoredAccount> | null,
    entry: StoredAuditEntry,
    nowMs: number,
  ): Promise<'added' | 'repeated' | 'busy'>;
}

/** Makes an account with its first key, which may do everything but the operator's calls. */
export const createAccount = (
  request: IdempotentRequest & { readonly by: Actor; readonly nowMs: number },
  wanted: {
    readonly name: string;
    readonly rate_limit_per_minute: number;
    readonly retention_days?: number | undefined;
  },
  accounts: NewAccounts,
  stackRetentionDays: number,
): Promise<AnswerWithSecret<StoredAccount>> => {
  const { by, contentHash, idempotencyKey, nowMs } = request;
  const path = '/accounts';
  checkRetention(wanted.retention_days, stackRetentionDays);
  return answerOnce(
    request,
    (key) => accounts.firstAnswer(path, key, nowMs),
    async () => {
      const account = { id: drawId('acc', nowMs), ...wanted, created_at: new Date(nowMs).toISOString() };
      const { secret, ...firstKey } = newApiKey(
        { accountId: account.id, name: 'first key', scopes: accountScopes, ...keySettingsOf(account) },
        'live',
        nowMs,
      );
      const left = idempotencyKey === null ? null : { idempotencyKey, path, contentHash, answer: account };
      // The operator's doing, in the account's own audit.
      const entry = auditEntry({ ...by, accountId: account.id }, 'account.created', account.id, nowMs);
      const outcome = await accounts.add(account, firstKey, left, entry, nowMs);
      if (outcome === 'added') return { answer: account, secret };
      if (outcome === 'repeated') return 'repeated';
      throw new PassPostError('conflict', 'Too many changes at once. Please try again.');
    },
  );
};
