import type { Account } from './account.ts';
import { notFound } from './errors.ts';

export interface ChangingAccounts {
  find(id: string): Promise<Account | null>;
  change(id: string, change: AccountChange): Promise<Account | null>;
  /** Gives every key of the account this limit, in its running minute, too. */
  limitKeys(id: string, limit: number): Promise<void>;
}

export interface AccountChange {
  readonly name?: string | undefined;
  readonly rate_limit_per_minute?: number | undefined;
}

/** Changes an account. Its limit stands in each key's row, where the counter reads it. */
export const changeAccount = async (
  id: string,
  change: AccountChange,
  accounts: ChangingAccounts,
): Promise<Account> => {
  const changed = await accounts.change(id, change);
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
