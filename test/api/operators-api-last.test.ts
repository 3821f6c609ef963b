import { describe, expect, it } from 'vitest';
import type { Json } from '../helpers/api-call.ts';
import { type Caller, useApi } from '../helpers/api-caller.ts';
import { seedOperator } from '../helpers/seeded-keys.ts';
import { useTables } from '../helpers/tables.ts';

const withKey = (key: string): Caller => ({ accountId: '', owner: '', key });

describe('the last operator of a deployment', () => {
  const tables = useTables();
  const accounts = useApi(tables, 'accounts-api');

  it('stays when four operators delete all of them at the same time, its key stays valid, and DELETE of it answers 409', async () => {
    const first = withKey(await seedOperator(tables));
    const call = (method: string, path: string, body?: unknown, caller = first) =>
      accounts(method, `/operators${path}`, caller, body === undefined ? {} : { body });
    const create = async (name: string): Promise<Json> => (await call('POST', '', { name })).json;
    const canRead = async (key: string) => (await accounts('GET', '/accounts', withKey(key))).status === 200;
    const others = await Promise.all([create('a'), create('b'), create('c')]);
    const { data } = (await call('GET', '')).json;
    const callers = [first, ...others.map(({ key }) => withKey(key))];

    await Promise.all(
      data.map(({ id }: Json, index: number) => call('DELETE', `/${id}`, undefined, callers[index % callers.length])),
    );

    const living = await Promise.all(callers.map(({ key }) => canRead(key)));
    expect(living.filter(Boolean)).toHaveLength(1);
    const last = callers[living.indexOf(true)] ?? first;
    const [{ id }] = (await call('GET', '', undefined, last)).json.data;
    const refused = await call('DELETE', `/${id}`, undefined, last);
    expect([refused.status, refused.json.detail]).toEqual([409, expect.stringContaining('last operator')]);
    expect(await canRead(last.key)).toBe(true);
  });
});
