import { type DynamoDBClient, QueryCommand } from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import { type AuditEntry, auditEntrySchema } from '../../domain/foundation/audit.ts';
import { idBound, timeOfId } from '../../domain/foundation/id.ts';
import type { Page } from '../../domain/foundation/page.ts';
import { DAY_MS } from '../../domain/foundation/time.ts';
import { AUDIT_DAYS } from '../rows/audit-row.ts';
import { auditKey } from '../rows/table-keys.ts';

export interface AuditWindow {
  /** Start of the time window whose audit entries are listed, in epoch milliseconds. The window includes its start. */
  readonly since?: number | undefined;
  /**
   * End of the time window whose audit entries are listed, in epoch milliseconds. The window does not include its end.
   */
  readonly until?: number | undefined;
}

/** Returns the first millisecond of the month (UTC) that contains a time, in epoch milliseconds. */
const monthStart = (timeMs: number): number => {
  const time = new Date(timeMs);
  return Date.UTC(time.getUTCFullYear(), time.getUTCMonth());
};

/** Reads the audit entries of accounts from the domain table. Each account has one partition for each month. */
export const createAuditTable = (client: DynamoDBClient, domainTable: string) => ({
  /**
   * Lists an account's audit entries in a time window, newest first. With `after`, the id of an audit entry, lists only
   * older entries.
   */
  async list(
    accountId: string,
    { since = 0, until }: AuditWindow,
    { limit, after, nowMs }: { readonly limit: number; readonly after: string | null; readonly nowMs: number },
  ): Promise<Page<AuditEntry>> {
    // Does not read expired audit entries, because DynamoDB deletes them with a delay. Reads audit entries up to a
    // minute after now, because the clock of the instance that wrote an entry may be ahead.
    const fromMs = Math.max(since, nowMs - AUDIT_DAYS * DAY_MS);
    const toMs = Math.min(until ?? Number.POSITIVE_INFINITY, nowMs + 60_000);
    const from = idBound('aud', fromMs);
    const end = idBound('aud', toMs);
    const to = after !== null && after < end ? after : end;
    const entries: AuditEntry[] = [];
    // Reads the audit entries month by month, newest month first: the millisecond before a month's start is in the
    // month before.
    for (
      let month = monthStart(timeOfId(to));
      from <= to && month >= monthStart(fromMs);
      month = monthStart(month - 1)
    ) {
      let start: QueryCommand['input']['ExclusiveStartKey'];
      do {
        const { Items = [], LastEvaluatedKey } = await client.send(
          new QueryCommand({
            TableName: domainTable,
            KeyConditionExpression: 'pk = :pk AND sk BETWEEN :from AND :to',
            ExpressionAttributeValues: marshall({
              ':pk': auditKey(accountId, new Date(month).toISOString(), '').pk,
              ':from': from,
              ':to': to,
            }),
            ScanIndexForward: false,
            ConsistentRead: true,
            // Reads two audit entries more than the limit: one shows that another page follows, and one may be the last
            // entry of the previous page (`after`), which is left out.
            Limit: limit + 2,
            ExclusiveStartKey: start,
          }),
        );
        const read = Items.map((item) => auditEntrySchema.parse(unmarshall(item)));
        entries.push(...read.filter(({ id }) => id !== after));
        start = LastEvaluatedKey;
      } while (start && entries.length <= limit);
      if (entries.length > limit) break;
    }
    const items = entries.slice(0, limit);
    const last = entries.length > limit ? items.at(-1) : undefined;
    return { items, next: last ? { at: '', id: last.id } : null };
  },
});
