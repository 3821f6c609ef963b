import { type Actor, auditEntry, fieldsOf, type StoredAuditEntry } from '../foundation/audit.ts';
import { notFound } from '../foundation/errors.ts';
import { checkRetention, type KeySettings, keySettingsOf, type StoredAccount } from './account.ts';

export interface ChangingAccounts {
  find(id: string): Promise<StoredAccount | null>;
  /**
   * Changes the account and adds the audit entry, in one transaction. An empty change writes nothing. Returns null if
   * the account does not exist.
   */
  change(id: string, change: AccountChange, entry: StoredAuditEntry): Promise<StoredAccount | null>;
  /**
   * Writes the settings into the row of each API key of the account. The new limit applies to the current window too.
   */
  updateKeys(id: string, settings: KeySettings): Promise<void>;
}

export interface AccountChange {
  readonly name?: string | undefined;
  readonly rate_limit_per_minute?: number | undefined;
  readonly requests_per_minute?: number | undefined;
  readonly deliveries_per_minute?: number | undefined;
  readonly retention_days?: number | undefined;
  /** Null removes the account's number, so that settled tasks are stored for ever. */
  readonly task_retention_days?: number | null | undefined;
}

interface AccountRequest {
  readonly id: string;
  readonly change: AccountChange;
  readonly by: Actor;
  readonly nowMs: number;
}

const isSame = (a: KeySettings, b: KeySettings): boolean =>
  a.limit === b.limit &&
  a.requests_per_minute === b.requests_per_minute &&
  a.retention_days === b.retention_days &&
  a.task_retention_days === b.task_retention_days;

/**
 * Changes an account and returns it, and copies its limits and retention into the rows of its API keys. Throws
 * `not_found`, or `invalid` if the retention is too long.
 */
export const changeAccount = async (
  { id, change, by, nowMs }: AccountRequest,
  accounts: ChangingAccounts,
  stackRetentionDays: number,
): Promise<StoredAccount> => {
  checkRetention(change.retention_days, stackRetentionDays);
  // The operator makes the change; the account's own audit shows it.
  const entry = auditEntry({ ...by, accountId: id }, 'account.changed', id, nowMs, fieldsOf(change));
  const changed = await accounts.change(id, change, entry);
  if (!changed) throw notFound('account');
  const { rate_limit_per_minute, requests_per_minute, retention_days, task_retention_days } = change;
  const ofKeys = [rate_limit_per_minute, requests_per_minute, retention_days, task_retention_days];
  if (ofKeys.every((value) => value === undefined)) return changed;
  // A concurrent change may overwrite the settings in the keys' rows: repeat until the rows have the account's current
  // settings.
  for (let settings: KeySettings | undefined = keySettingsOf(changed); settings !== undefined; ) {
    await accounts.updateKeys(id, settings);
    const current = await accounts.find(id);
    settings = current && !isSame(keySettingsOf(current), settings) ? keySettingsOf(current) : undefined;
  }
  return changed;
};
