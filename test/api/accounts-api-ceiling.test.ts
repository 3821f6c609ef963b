import { beforeEach, describe, expect, it } from 'vitest';
import { useAccountsApi } from '../helpers/accounts-api.ts';
import type { Json } from '../helpers/api-call.ts';
import { useTables } from '../helpers/tables.ts';

describe('requests_per_minute of an account', () => {
  const tables = useTables();
  const { current, call, callOk } = useAccountsApi(tables);
  let account: Json;
  let mine: { accountId: string; owner: string; key: string };
  beforeEach(async () => {
    const body = { name: 'Ceiling', rate_limit_per_minute: 30 };
    account = await callOk(current.operator, 'POST', '/accounts', body);
    mine = { accountId: account.id, owner: `${account.id}#live`, key: account.key };
  });

  const change = (body: object) => call(current.operator, 'PATCH', `/accounts/${account.id}`, body);
  const anotherKey = async () => ({
    ...mine,
    key: (await callOk(mine, 'POST', '/keys', { name: 'till', scopes: ['keys:read', 'tasks:read'] })).key as string,
  });
  /** Waits until the minute of the clock has at least 20 s left, so that all requests of a test are in one minute. */
  const inOneMinute = async () => {
    const leftMs = 60_000 - (Date.now() % 60_000);
    if (leftMs < 20_000) await new Promise((resolve) => setTimeout(resolve, leftMs));
  };

  it('is ten times rate_limit_per_minute until it is set, by POST or PATCH, also after the limit has changed', async () => {
    const own = await callOk(current.operator, 'POST', '/accounts', { name: 'Own', requests_per_minute: 77 });

    expect([account.requests_per_minute, own.requests_per_minute]).toEqual([300, 77]);
    expect((await change({ rate_limit_per_minute: 50 })).json.requests_per_minute).toBe(500);
    expect((await change({ requests_per_minute: 60 })).json.requests_per_minute).toBe(60);
    expect((await change({ rate_limit_per_minute: 40 })).json.requests_per_minute).toBe(60);
    expect((await callOk(current.operator, 'GET', `/accounts/${account.id}`)).requests_per_minute).toBe(60);
  });

  it.each([0, 300_001, 1.5, '120', null])('is 422 for POST and PATCH with the value %s', async (value) => {
    const answers = [
      await change({ requests_per_minute: value }),
      await call(current.operator, 'POST', '/accounts', { name: 'A', requests_per_minute: value }),
    ];

    for (const { status, json } of answers) {
      expect([status, json.errors[0].path]).toEqual([422, 'requests_per_minute']);
    }
  });

  it('that PATCH sets to 8 applies to the two keys of the account within 5 s: further requests get 429, which names the account and its policy', async () => {
    const second = await anotherKey();
    await inOneMinute();
    await change({ requests_per_minute: 8 });

    const answers = [];
    for (let i = 0; i < 10; i++) answers.push(await call(i % 2 ? mine : second, 'GET', '/keys'));

    expect(answers.map(({ status }) => status)).toEqual([...Array.from({ length: 8 }, () => 200), 429, 429]);
    const refused = answers.at(-1);
    expect(refused?.headers).toMatchObject({
      'ratelimit-policy': '"account";q=8;w=60',
      ratelimit: expect.stringMatching(/^"account";r=0;t=\d+$/),
      'retry-after': expect.stringMatching(/^\d+$/),
    });
    expect(refused?.json.detail).toBe('All keys of this account together allow 8 requests a minute.');
  });

  it('that is lower than rate_limit_per_minute stops the first key of a new account', async () => {
    const body = { name: 'Low', rate_limit_per_minute: 30, requests_per_minute: 3 };
    const { id, key } = await callOk(current.operator, 'POST', '/accounts', body);
    await inOneMinute();

    const statuses = [];
    for (let i = 0; i < 4; i++) statuses.push((await call({ accountId: id, owner: '', key }, 'GET', '/keys')).status);

    expect(statuses).toEqual([200, 200, 200, 429]);
  });

  it('applies to a key that is created while PATCH lowers it: 40 requests with both keys pass 12 times at most', async () => {
    await inOneMinute();

    const [second] = await Promise.all([anotherKey(), change({ requests_per_minute: 12 })]);
    const statuses = [];
    for (let i = 0; i < 40; i++) statuses.push((await call(i % 2 ? mine : second, 'GET', '/keys')).status);

    expect(statuses.filter((status) => status === 200).length).toBeLessThanOrEqual(12);
  });
});
