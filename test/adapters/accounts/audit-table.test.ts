import { describe, expect, test } from 'vitest';
import { createAuditTable } from '../../../lambdas/adapters/accounts/audit-table.ts';
import { changeTogether } from '../../../lambdas/adapters/aws/transact.ts';
import { putAuditEntry } from '../../../lambdas/adapters/rows/audit-row.ts';
import { auditEntry } from '../../../lambdas/domain/foundation/audit.ts';
import { useTables } from '../../helpers/tables.ts';

describe('the audit table', () => {
  const tables = useTables();
  const accountId = 'acc_1';
  const nowMs = Date.parse('2026-11-16T09:30:00.000Z');
  const put = (at: string) => {
    const entry = auditEntry({ accountId, keyId: 'key_1', ip: '192.0.2.1' }, 'key.created', at, Date.parse(at));
    return changeTogether(tables.client, [putAuditEntry(tables.domainTable, entry)]);
  };
  const page = (limit: number, after: string | null = null, window = {}) =>
    createAuditTable(tables.client, tables.domainTable).list(accountId, window, { limit, after, nowMs });
  const times = [
    '2026-11-01T00:00:00.000Z',
    '2026-10-31T23:59:59.999Z',
    '2026-10-01T00:00:00.000Z',
    '2026-03-31T12:00:00.000Z',
    '2025-12-31T23:59:59.999Z',
    '2025-10-12T09:30:00.000Z',
  ];

  test('lists the entries of 13 months newest first, each once in pages of 1, 2 or 100, and no expired entry', async () => {
    // The last time of the list is 400 days ago. The two further entries have expired, but DynamoDB has not deleted them.
    for (const at of [...times, '2025-10-12T09:29:59.000Z', '2025-09-01T00:00:00.000Z']) await put(at);

    for (const limit of [1, 2, 100]) {
      const targets: string[] = [];
      for (let after: string | null = null; ; ) {
        const { items, next } = await page(limit, after);
        targets.push(...items.map(({ target }) => target));
        if (next === null) break;
        after = next.id;
      }
      expect(targets).toEqual(times);
    }
  });

  test('lists the entries from `since` (included) to `until` (excluded), and none for a window without entries', async () => {
    const window = { since: Date.parse(times[3] ?? ''), until: Date.parse(times[0] ?? '') };

    const { items, next } = await page(100, null, window);

    expect(items.map(({ target }) => target)).toEqual(times.slice(1, 4));
    expect(next).toBeNull();
    for (const emptyWindow of [
      { since: nowMs + 1 },
      { until: 0 },
      { until: -1 },
      { since: Date.parse('9999-12-31') },
    ]) {
      expect((await page(100, null, emptyWindow)).items).toEqual([]);
    }
  });
});
