import { describe, expect, it } from 'vitest';
import { batchGet } from '../../../lambdas/adapters/aws/batch-get.ts';
import { executeStatements, insertStatement, updateStatement } from '../../../lambdas/adapters/aws/statements.ts';
import { useTables } from '../../helpers/tables.ts';

describe('executeStatements', () => {
  const tables = useTables();
  const table = 'delivery';
  const keyOf = (number: number, name: string) => ({ pk: name, sk: String(number).padStart(4, '0') });
  const read = async (key: { pk: string; sk: string }) =>
    (await batchGet(tables.client, [{ table, key, isConsistent: true }]))(table, key);

  it('returns duplicate for an insert with an existing key, and leaves the stored row unchanged', async () => {
    const key = keyOf(1, 'existing');
    await executeStatements(tables.client, [insertStatement(table, { ...key, value: 'first', none: null })]);

    const outcomes = await executeStatements(tables.client, [insertStatement(table, { ...key, value: 'second' })]);

    expect(outcomes).toEqual(['duplicate']);
    expect(await read(key)).toEqual({ ...key, value: 'first' });
  });

  it('updates the row that has the expected ticket, and returns condition_failed for an outdated and a missing row', async () => {
    const [matching, outdated, missing] = [keyOf(1, 'each'), keyOf(2, 'each'), keyOf(3, 'each')];
    await executeStatements(tables.client, [
      insertStatement(table, { ...matching, ticket: 1, due_pk: 'D#0', due_at: 5 }),
      insertStatement(table, { ...outdated, ticket: 2 }),
    ]);

    const outcomes = await executeStatements(tables.client, [
      updateStatement(table, {
        key: matching,
        set: { ticket: 2, last: { number: 1 } },
        expected: { ticket: 1 },
        remove: 'due_pk',
      }),
      updateStatement(table, { key: outdated, set: { ticket: 9 }, expected: { ticket: 1 } }),
      updateStatement(table, { key: missing, set: { ticket: 9 }, expected: { ticket: 1 } }),
    ]);

    expect(outcomes).toEqual(['done', 'condition_failed', 'condition_failed']);
    expect(await read(matching)).toEqual({ ...matching, ticket: 2, last: { number: 1 }, due_at: 5 });
    expect(await read(missing)).toBeNull();
  });

  it('inserts 230 rows, and `batchGet` returns all of them although each key is requested twice', async () => {
    const keys = Array.from({ length: 230 }, (_, number) => keyOf(number, 'many'));

    const outcomes = await executeStatements(
      tables.client,
      keys.map((key) => insertStatement(table, { ...key, value: key.sk })),
    );
    const find = await batchGet(
      tables.client,
      [...keys, ...keys].map((key) => ({ table, key, isConsistent: false })),
    );

    expect(outcomes).toHaveLength(230);
    expect(keys.every((key) => find(table, key)?.value === key.sk)).toBe(true);
  });
});

describe('the statements of updateStatement and insertStatement', () => {
  // AWS documents no list of assignments after one SET:
  // https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ql-reference.update.html
  it('have a SET clause for each attribute of an update, and the documented form of an insert', () => {
    const key = { pk: 'p', sk: 's' };
    const update = updateStatement('t', { key, set: { a: 1, b: 2 }, expected: { c: 3 }, remove: 'd', cleared: ['e'] });

    expect(update.Statement).toBe(
      'UPDATE "t" SET "a"=? SET "b"=? SET "e"=? REMOVE "d" WHERE "pk"=? AND "sk"=? AND "c"=?',
    );
    expect(insertStatement('t', { pk: 'p', a: 1 }).Statement).toBe(`INSERT INTO "t" VALUE {'pk': ?, 'a': ?}`);
  });
});
