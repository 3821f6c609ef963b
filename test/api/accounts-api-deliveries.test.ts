import { GetItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import { describe, expect, it } from 'vitest';
import { rowToAccountLimit } from '../../lambdas/adapters/rows/account-limit-row.ts';
import { accountLimitKey } from '../../lambdas/adapters/rows/table-keys.ts';
import { useAccountsApi } from '../helpers/accounts-api.ts';
import { useTables } from '../helpers/tables.ts';

describe('deliveries_per_minute of an account in the calls of the operator', () => {
  const tables = useTables();
  const { current, call, callOk } = useAccountsApi(tables);

  /** The row that the deliver function reads. */
  const limitRow = async (accountId: string) => {
    const Key = marshall(accountLimitKey(accountId));
    const { Item } = await tables.client.send(
      new GetItemCommand({ TableName: tables.domainTable, Key, ConsistentRead: true }),
    );
    return Item ? unmarshall(Item) : null;
  };

  it('is 6,000 without a row until it is set, and POST and PATCH write it into the row that deliver reads', async () => {
    const unset = await callOk(current.operator, 'POST', '/accounts', { name: 'Unset' });
    const set = await callOk(current.operator, 'POST', '/accounts', { name: 'Set', deliveries_per_minute: 50 });

    const before = [await limitRow(unset.id), rowToAccountLimit(await limitRow(set.id))];
    const changed = await callOk(current.operator, 'PATCH', `/accounts/${unset.id}`, { deliveries_per_minute: 9 });

    expect([unset.deliveries_per_minute, set.deliveries_per_minute]).toEqual([6000, 50]);
    expect(before).toEqual([null, 50]);
    expect([changed.deliveries_per_minute, rowToAccountLimit(await limitRow(unset.id))]).toEqual([9, 9]);
  });

  it.each([0, 600_001, 1.5, null])('answers 422 to the value %s', async (value) => {
    const { status, json } = await call(current.operator, 'POST', '/accounts', {
      name: 'Wrong',
      deliveries_per_minute: value,
    });

    expect([status, json.errors[0].path]).toEqual([422, 'deliveries_per_minute']);
  });

  it('answers 403 to a key of the account', async () => {
    const { id, key } = await callOk(current.operator, 'POST', '/accounts', { name: 'Own' });
    const own = { accountId: id, owner: `${id}#live`, key };

    const { status } = await call(own, 'PATCH', `/accounts/${id}`, { deliveries_per_minute: 100 });

    expect(status).toBe(403);
  });

  it('leaves no row behind when its account is deleted', async () => {
    const { id } = await callOk(current.operator, 'POST', '/accounts', { name: 'Gone', deliveries_per_minute: 50 });

    await callOk(current.operator, 'DELETE', `/accounts/${id}`);

    expect(await limitRow(id)).toBeNull();
  });
});
