import type { TransactWriteItem } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import type { StoredAuditEntry } from '../../domain/foundation/audit.ts';
import { ttlSeconds } from '../../domain/foundation/time.ts';
import { auditKey } from './table-keys.ts';

/** Days that audit entries are stored: longer than any other row, so that a look back over a year is complete. */
export const AUDIT_DAYS = 400;

/** Returns the transaction item that stores an audit entry together with the change that the entry describes. */
export const putAuditEntry = (domainTable: string, entry: StoredAuditEntry): TransactWriteItem => ({
  Put: {
    TableName: domainTable,
    Item: marshall({
      ...entry,
      ...auditKey(entry.account_id, entry.at, entry.id),
      kind: 'audit',
      ttl: ttlSeconds(Date.parse(entry.at), AUDIT_DAYS),
    }),
  },
});
