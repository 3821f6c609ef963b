import { DELIVERIES_PER_MINUTE } from '../../domain/accounts/account.ts';
import { rowOf } from './row.ts';
import { accountLimitKey } from './table-keys.ts';

/** Returns the row of an account's own `deliveries_per_minute`. An account with the default has no such row. */
export const accountLimitRow = (accountId: string, limit: number): Record<string, unknown> =>
  rowOf({ ...accountLimitKey(accountId), kind: 'account-limit', limit });

/** Returns an account's `deliveries_per_minute` from its row, or the default where no row exists. */
export const rowToAccountLimit = (row: Readonly<Record<string, unknown>> | null): number =>
  typeof row?.limit === 'number' ? row.limit : DELIVERIES_PER_MINUTE;
