import { type DynamoDBClient, QueryCommand } from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import { type AuditEntry, auditEntrySchema } from '../../domain/foundation/audit.ts';
import { idBound, timeOfId } from '../../domain/foundation/id.ts';
import type { Page } from '../../domain/foundation/page.ts';
import { DAY_MS } from '../../domain/foundation/time.ts';
import { AUDIT_DAYS } from '../rows/audit-row.ts';
import { auditKey } from '../rows/table-keys.ts';

export interface AuditWindow {
  /** Milliseconds: from `since` on and before `until`. */
  readonly since?: number | undefined;
  readonly until?: number | undefined;
}

/** The first moment of the month that a moment is in. */
const monthBegin = (timeMs: number): number => {
  const time = new Date(timeMs);
  return Date.UTC(time.getUTCFullYear(), time.getUTCMonth());
};

/** An account's audit in the domain table, a partition for each month. */
export const createAuditTable = (client: DynamoDBClient, domainTable: string) => ({
  /** Newest first. */
  async list(
    accountId: string,
    { since = 0, until }: AuditWindow,
    { limit, after, nowMs }: { readonly limit: number; readonly after: string | null; readonly nowMs: number },
  ): Promise<Page<AuditEntry>> {
    // DynamoDB deletes what has expired late: it is not looked at. A clock may be a little ahead of ours.
    const fromMs = Math.max(since, nowMs - AUDIT_DAYS * DAY_MS);
    const toMs = Math.min(until ?? Number.POSITIVE_INFINITY, nowMs + 60_000);
    const from = idBound('aud', fromMs);
    const below = idBound('aud', toMs);
    const to = after !== null && after < below ? after : below;
    const found: AuditEntry[] = [];
    // The month before the one whose first moment this is, until the window is left behind.
    for (
      let month = monthBegin(timeOfId(to));
      from <= to && month >= monthBegin(fromMs);
      month = monthBegin(month - 1)
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
            // One to see whether more follow, and one for the entry at the position itself.
            Limit: limit + 2,
            ExclusiveStartKey: start,
          }),
        );
        const entries = Items.map((item) => auditEntrySchema.parse(unmarshall(item)));
        found.push(...entries.filter(({ id }) => id !== after));
        start = LastEvaluatedKey;
      } while (start && found.length <= limit);
      if (found.length > limit) break;
    }
    const items = found.slice(0, limit);
    const last = found.length > limit ? items.at(-1) : undefined;
    return { items, next: last ? { at: '', id: last.id } : null };
  },
});
