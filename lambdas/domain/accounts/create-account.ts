import { type Actor, auditEntry, type StoredAuditEntry } from '../foundation/audit.ts';
import { PassPostError } from '../foundation/errors.ts';
import { drawId } from '../foundation/id.ts';
import {
  type AnswerWithSecret,
  answerOnce,
  type FirstAnswer,
  type IdempotentRequest,
  type KeyedAnswer,
} from '../foundation/idempotency.ts';
import { checkRetention, couldPassCeiling, keySettingsOf, type StoredAccount } from './account.ts';
import { accountScopes } from './api-key.ts';
import { type HashedApiKey, newApiKey } from './create-api-key.ts';

export interface NewAccounts {
  firstAnswer(path: string, idempotencyKey: string, nowMs: number): Promise<FirstAnswer<StoredAccount> | null>;
  /** Adds the account, its first API key, the first answer and the audit entry, in one transaction. */
  add(
    account: StoredAccount,
    firstKey: HashedApiKey,
    firstAnswer: KeyedAnswer<StoredAccount> | null,
    entry: StoredAuditEntry,
    nowMs: number,
  ): Promise<'added' | 'repeated' | 'busy'>;
}

/** Creates an account with its first API key, which has every scope except `admin`. */
export const createAccount = (
  request: IdempotentRequest & { readonly by: Actor; readonly nowMs: number },
  {
    task_retention_days,
    ...settings
  }: {
    readonly name: string;
    readonly rate_limit_per_minute: number;
    readonly requests_per_minute?: number | undefined;
    readonly deliveries_per_minute?: number | undefined;
    readonly retention_days?: number | undefined;
    readonly task_retention_days?: number | null | undefined;
  },
  accounts: NewAccounts,
  stackRetentionDays: number,
): Promise<AnswerWithSecret<StoredAccount>> => {
  const { by, contentHash, idempotencyKey, nowMs } = request;
  const path = '/accounts';
  checkRetention(settings.retention_days, stackRetentionDays);
  return answerOnce(
    request,
    (key) => accounts.firstAnswer(path, key, nowMs),
    async () => {
      const account = {
        id: drawId('acc', nowMs),
        ...settings,
        task_retention_days: task_retention_days ?? undefined,
        created_at: new Date(nowMs).toISOString(),
      };
      const fromAccount = keySettingsOf(account);
      const counts_for_account = couldPassCeiling(1, fromAccount);
      const { secret, ...firstKey } = newApiKey(
        { accountId: account.id, name: 'first key', scopes: accountScopes, ...fromAccount, counts_for_account },
        'live',
        nowMs,
      );
      const firstAnswer = idempotencyKey === null ? null : { idempotencyKey, path, contentHash, answer: account };
      // The operator makes the account; the account's own audit shows it.
      const entry = auditEntry({ ...by, accountId: account.id }, 'account.created', account.id, nowMs);
      const outcome = await accounts.add(account, firstKey, firstAnswer, entry, nowMs);
      if (outcome === 'added') return { answer: account, secret };
      if (outcome === 'repeated') return 'repeated';
      throw new PassPostError('conflict', 'Too many changes at the same time. Please try again.');
    },
  );
};
