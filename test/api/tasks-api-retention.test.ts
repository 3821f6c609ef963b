import { UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import { describe, expect, it } from 'vitest';
import { taskKey } from '../../lambdas/adapters/rows/table-keys.ts';
import { useAccountsApi } from '../helpers/accounts-api.ts';
import { aCaller, rowsHolding } from '../helpers/api-caller.ts';
import { useTables } from '../helpers/tables.ts';

const place = { city: 'Oslo', address: 'A' };
const task = { item: 'Pass', pickup: place, dropoff: place, external_reference: 'RES-1' };
const DAY_SECONDS = 86_400;

describe('task_retention_days of an account', () => {
  const tables = useTables();
  const { current, call, callOk } = useAccountsApi(tables);

  const settle = async (path: readonly string[], caller = current.caller): Promise<string> => {
    const { id } = await callOk(caller, 'POST', '/tasks', task);
    for (const move of path) await callOk(caller, 'POST', `/tasks/${id}/${move}`);
    return id;
  };
  const change = (task_retention_days: number | null) =>
    callOk(current.operator, 'PATCH', `/accounts/${current.caller.accountId}`, { task_retention_days });
  const rowOf = async (id: string) => (await rowsHolding(tables, tables.domainTable, id))[0];
  /** The whole days after which a row expires, rounded; undefined if it does not expire. */
  const daysOf = async (id: string) => {
    const ttl = (await rowOf(id))?.ttl;
    return ttl === undefined ? undefined : Math.round((Number(ttl) - Date.now() / 1000) / DAY_SECONDS);
  };

  it.each([
    ['completed', ['accept', 'pick-up', 'deliver', 'complete']],
    ['cancelled', ['cancel']],
  ])('gives a task its expiry when it becomes %s, and not before', async (_status, path) => {
    expect(await change(7)).toMatchObject({ task_retention_days: 7 });

    const open = await settle(path.slice(0, -1));
    const settled = await settle(path);

    expect([await daysOf(open), await daysOf(settled)]).toEqual([undefined, 7]);
  });

  it('a changed number applies to tasks that are settled later: earlier tasks keep their expiry, or have none; null stops it', async () => {
    const caller = current.caller;
    const first = await settle(['cancel']);
    expect(await change(30)).toMatchObject({ task_retention_days: 30 });
    const second = await settle(['cancel']);
    await change(3650);
    // A key that is created later has the number too.
    const third = await settle(['cancel'], await aCaller(tables, { accountId: caller.accountId }));
    expect(await change(null)).toMatchObject({ task_retention_days: null });
    const fourth = await settle(['cancel']);

    expect([await daysOf(first), await daysOf(second), await daysOf(third), await daysOf(fourth)]).toEqual([
      undefined,
      30,
      3650,
      undefined,
    ]);
  });

  it('accepts 1 to 3650 and null, of POST /accounts too, answers 422 to 0, 3651 and 1.5, and is null until it is set', async () => {
    const { operator, caller } = current;
    const path = `/accounts/${caller.accountId}`;
    for (const task_retention_days of [0, 3651, 1.5]) {
      expect((await call(operator, 'PATCH', path, { task_retention_days })).status).toBe(422);
    }
    expect((await callOk(operator, 'GET', path)).task_retention_days).toBeNull();
    const name = 'retention';
    const created = [
      await callOk(operator, 'POST', '/accounts', { name, task_retention_days: 1 }),
      await callOk(operator, 'POST', '/accounts', { name, task_retention_days: null }),
    ];
    expect(created.map(({ task_retention_days }) => task_retention_days)).toEqual([1, null]);
    const { id } = await callOk({ ...caller, key: created[0].key }, 'POST', '/tasks', task);
    await callOk({ ...caller, key: created[0].key }, 'POST', `/tasks/${id}/cancel`);
    expect(await daysOf(id)).toBe(1);
  });

  it('an expired task that DynamoDB has not deleted yet is gone: GET, moves and the erasure answer 404, no list has it, and its Idempotency-Key creates a new task', async () => {
    const { caller } = current;
    const headers = { 'idempotency-key': 'expiring' };
    const { id, created_at } = (await call(caller, 'POST', '/tasks', task, { headers })).json;
    await callOk(caller, 'POST', `/tasks/${id}/cancel`);
    await tables.client.send(
      new UpdateItemCommand({
        TableName: tables.domainTable,
        Key: marshall(taskKey(id)),
        UpdateExpression: 'SET #ttl = :now',
        ExpressionAttributeNames: { '#ttl': 'ttl' },
        ExpressionAttributeValues: marshall({ ':now': Math.floor(Date.now() / 1000) - 1 }),
      }),
    );

    expect((await call(caller, 'GET', `/tasks/${id}`)).status).toBe(404);
    expect((await call(caller, 'POST', `/tasks/${id}/cancel`)).status).toBe(404);
    expect((await call(caller, 'DELETE', `/tasks/${id}/personal-data`)).status).toBe(404);
    expect((await callOk(caller, 'GET', '/tasks')).data).toEqual([]);
    const byReference = await call(caller, 'GET', '/tasks', undefined, { query: 'external_reference=RES-1' });
    expect(byReference.json.data).toEqual([]);
    const created = await call(caller, 'POST', '/tasks', task, { headers });
    expect(created).toMatchObject({ status: 201, json: { id, status: 'created' } });
    expect(created.json.created_at >= created_at).toBe(true);
    expect((await rowOf(id))?.ttl).toBeUndefined();
  });

  it('DELETE of personal data keeps the expiry of the task', async () => {
    await change(7);
    const id = await settle(['cancel']);

    await callOk(current.caller, 'DELETE', `/tasks/${id}/personal-data`);

    expect(await daysOf(id)).toBe(7);
  });
});
