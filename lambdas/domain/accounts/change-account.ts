import { type Actor, auditEntry, type StoredAuditEntry } from '../foundation/audit.ts';
import { notFound } from '../foundation/errors.ts';
import { checkRetention, type KeySettings, keySettingsOf, type StoredAccount } from './account.ts';

export interface ChangingAccounts {
  find(id: string): Promise<StoredAccount | null>;
  /** Changes the account and leaves the entry, or neither; null where there is none. Nothing to change leaves nothing. */
  change(id: string, change: AccountChange, entry: StoredAuditEntry): Promise<StoredAccount | null>;
  /** Gives every key of the account these, the limit in its running minute, too. */
  updateKeys(id: string, settings: KeySettings): Promise<void>;
}

export interface AccountChange {
  readonly name?: string | undefined;
  readonly rate_limit_per_minute?: number | undefined;
  readonly retention_days?: number | undefined;
}

interface AccountRequest {
  readonly id: string;
  readonly change: AccountChange;
  readonly by: Actor;
  readonly nowMs: number;
}

const isSame = (a: KeySettings, b: KeySettings): boolean =>
  a.limit === b.limit && a.retention_days === b.retention_days;

/** Changes an account. Its limit and its retention stand in each key's row, where they are read. */
export const changeAccount = async (
  { id, change, by, nowMs }: AccountRequest,
  accounts: ChangingAccounts,
  stackRetentionDays: number,
): Promise<StoredAccount> => {
  checkRetention(change.retention_days, stackRetentionDays);
  // The operator's doing, in the account's own audit.
  const entry = auditEntry({ ...by, accountId: id }, 'account.changed', id, nowMs);
  const changed = await accounts.change(id, change, entry);
  if (!changed) throw notFound('account');
  if (change.rate_limit_per_minute === undefined && change.retention_days === undefined) return changed;
  // Another change may have come in between: whoever ends last leaves the keys with what the account says.
  for (let settings: KeySettings | undefined = keySettingsOf(changed); settings !== undefined; ) {
    await accounts.updateKeys(id, settings);
    const now = await accounts.find(id);
    settings = now && !isSame(keySettingsOf(now), settings) ? keySettingsOf(now) : undefined;
  }
  return changed;
};
