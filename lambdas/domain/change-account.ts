import type { Account } from './account.ts';
import { type Actor, auditEntry, type StoredAuditEntry } from './audit.ts';
import { notFound } from './errors.ts';

export interface ChangingAccounts {
  find(id: string): Promise<Account | null>;
  /** Changes the account and leaves the entry, or neither; null where there is none. Nothing to change leaves nothing. */
  change(id: string, change: AccountChange, entry: StoredAuditEntry): Promise<Account | null>;
  /** Gives every key of the account this limit, in its running minute, too. */
  limitKeys(id: string, limit: number): Promise<void>;
}

export interface AccountChange {
  readonly name?: string | undefined;
  readonly rate_limit_per_minute?: number | undefined;
}

interface AccountRequest {
  readonly id: string;
  readonly change: AccountChange;
  readonly by: Actor;
  readonly nowMs: number;
}

/** Changes an account. Its limit stands in each key's row, where the counter reads it. */
export const changeAccount = async (
  { id, change, by, nowMs }: AccountRequest,
  accounts: ChangingAccounts,
): Promise<Account> => {
  // The operator's doing, in the account's own audit.
  const entry = auditEntry({ ...by, accountId: id }, 'account.changed', id, nowMs);
  const changed = await accounts.change(id, change, entry);
  if (!changed) throw notFound('account');
  if (change.rate_limit_per_minute === undefined) return changed;
  // Another change may have come in between: whoever ends last leaves the keys with what the account says.
  for (let limit: number | undefined = changed.rate_limit_per_minute; limit !== undefined; ) {
    await accounts.limitKeys(id, limit);
    const now: number | undefined = (await accounts.find(id))?.rate_limit_per_minute;
    limit = now === limit ? undefined : now;
  }
  return changed;
};
