import { describe, expect, it } from 'vitest';
import { createEventTypesTable } from '../../../lambdas/adapters/events/event-types-table.ts';
import { auditEntry } from '../../../lambdas/domain/foundation/audit.ts';
import { useTables } from '../../helpers/tables.ts';
import { anOwner } from '../../helpers/virtual-engine.ts';

const by = { accountId: 'acc_1', keyId: 'key_1', ip: '127.0.0.1' };

describe('the event types table', () => {
  const tables = useTables();

  /** An owner with own event types of these names. */
  const withTypes = async (names: readonly string[]) => {
    const owner = anOwner();
    const table = createEventTypesTable(tables.client, tables.domainTable);
    for (const name of names) {
      const entry = auditEntry(by, 'event_type.put', name, Date.now());
      await table.put({ v: 1, name, owner, description: '', schema: null }, entry);
    }
    return { owner, table };
  };

  // Before a fix, the first page had one type more than the limit.
  it('lists five types in pages of two, two, and one, and says of the first two pages that more types follow', async () => {
    const { owner, table } = await withTypes(['a.1', 'a.2', 'a.3', 'a.4', 'a.5']);

    const first = await table.list(owner, 2, null);
    const second = await table.list(owner, 2, 'a.2');
    const third = await table.list(owner, 2, 'a.4');

    const pages = [first, second, third].map(({ types, hasMore }) => [types.map(({ name }) => name), hasMore]);
    expect(pages).toEqual([
      [['a.1', 'a.2'], true],
      [['a.3', 'a.4'], true],
      [['a.5'], false],
    ]);
  });

  it('lists the types after a name that is deleted meanwhile, at most as many as the limit', async () => {
    const { owner, table } = await withTypes(['a.2', 'a.3', 'a.4', 'a.5']);

    const { types, hasMore } = await table.list(owner, 2, 'a.1');

    expect([types.map(({ name }) => name), hasMore]).toEqual([['a.2', 'a.3'], true]);
  });
});
