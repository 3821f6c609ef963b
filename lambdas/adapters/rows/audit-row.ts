import type { TransactWriteItem } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import type { StoredAuditEntry } from '../../domain/foundation/audit.ts';
import { auditKey } from './table-keys.ts';

/** Longer than anything else: whoever looks back over a year sees all of it. */
export const AUDIT_DAYS = 400;

/** Leaves an entry in the account's audit, in the transaction of the change that it tells of. */
export const putAuditEntry = (domainTable: string, entry: StoredAuditEntry): TransactWriteItem => ({
  Put: {
    TableName: domainTable,
    Item: marshall({
      ...entry,
      ...auditKey(entry.account_id, entry.at, entry.id),
      kind: 'audit',
      ttl: Math.ceil(Date.parse(entry.at) / 1000) + AUDIT_DAYS * 86_400,
    }),
  },
});
