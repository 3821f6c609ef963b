import { beforeAll, describe, expect, test } from 'vitest';
import { createAccountsTable } from '../../lambdas/adapters/accounts/accounts-table.ts';
import { createKeyAuthenticator } from '../../lambdas/adapters/accounts/authenticate-key.ts';
import { accountRoutes } from '../../lambdas/routes/accounts.ts';
import { httpHandler } from '../../lambdas/runtime/http.ts';
import { type ApiCall, type ApiHandler, callApi } from '../helpers/api-call.ts';
import { seedAccount, seedKey, seedOperator, tableNames } from '../helpers/seeded-keys.ts';
import { useTables } from '../helpers/tables.ts';

const path = '/api/public/v1/accounts';

describe('the /accounts routes', () => {
  const tables = useTables();
  let handler: ApiHandler;
  let operator: string;

  beforeAll(async () => {
    const { client, credentialsTable } = tables;
    handler = httpHandler(accountRoutes(createAccountsTable(client, tableNames(tables)), 30), {
      surface: 'native',
      authenticate: createKeyAuthenticator(client, credentialsTable).authenticate,
    });
    operator = await seedOperator(tables);
  });

  const call = (method: string, to: string, options: ApiCall = {}) =>
    callApi(handler, method, to, { key: operator, ...options });

  test('POST answers 201 to the operator with a new account and its first key; POST and GET answer 403 to the key of an account', async () => {
    const { key, accountId } = await seedAccount(tables);

    const made = await call('POST', path, { body: { name: 'A hotel' } });
    const refused = await call('POST', path, { body: { name: 'A hotel' }, key });
    const unreadable = await call('GET', `${path}/${accountId}`, { key });

    expect(made).toMatchObject({ status: 201, json: { name: 'A hotel', rate_limit_per_minute: 120 } });
    expect(made.json.id).toMatch(/^acc_/);
    expect(made.json.key).toMatch(/^pp_live_/);
    expect((await call('GET', made.headers.location ?? '')).json).toMatchObject({ id: made.json.id, name: 'A hotel' });
    expect([refused.status, unreadable.status]).toEqual([403, 403]);
    // The first key is valid and has no operator scope.
    expect((await call('GET', path, { key: made.json.key })).status).toBe(403);
  });

  test('POST creates one account for three simultaneous requests with the same Idempotency-Key, shows its key once, and answers 422 to another name', async () => {
    const options = { body: { name: 'Once' }, headers: { 'idempotency-key': 'a-1' } };

    const answers = await Promise.all([1, 2, 3].map(() => call('POST', path, options)));

    expect(new Set(answers.map(({ json }) => json.id)).size).toBe(1);
    expect(answers.filter(({ json }) => json.key)).toHaveLength(1);
    expect((await call('POST', path, { ...options, body: { name: 'Twice' } })).status).toBe(422);
  });

  test("PATCH changes the account's name, and the rate limit that each of its keys gets", async () => {
    const { accountId, key } = await seedAccount(tables, { limit: 100 });
    const second = await seedKey(tables, accountId);

    const changed = await call('PATCH', `${path}/${accountId}`, { body: { rate_limit_per_minute: 250, name: 'B' } });
    const answers = await Promise.all([key, second].map((each) => call('GET', path, { key: each })));

    expect(changed).toMatchObject({ status: 200, json: { id: accountId, name: 'B', rate_limit_per_minute: 250 } });
    for (const { headers } of answers) expect(headers['ratelimit-policy']).toBe('"default";q=250;w=60');
  });

  test('POST and PATCH set the retention of an account and of all its keys: 30 days as in the stack, or the retention_days in the body', async () => {
    const made = await call('POST', path, { body: { name: 'Default' } });
    const short = await call('POST', path, { body: { name: 'Short', retention_days: 7 } });
    const other = { key: await seedKey(tables, short.json.id) };
    const days = async (key: string) => {
      const check = await createKeyAuthenticator(tables.client, tables.credentialsTable).authenticate(key, Date.now());
      return check.outcome === 'passed' ? check.caller.retentionDays : null;
    };

    expect([made.json.retention_days, short.json.retention_days]).toEqual([30, 7]);
    expect([await days(made.json.key), await days(short.json.key), await days(other.key)]).toEqual([undefined, 7, 7]);
    const changed = await call('PATCH', `${path}/${short.json.id}`, { body: { retention_days: 30 } });
    expect(changed).toMatchObject({ status: 200, json: { retention_days: 30, rate_limit_per_minute: 120 } });
    expect([await days(short.json.key), await days(other.key)]).toEqual([30, 30]);
    expect(await call('GET', `${path}/${short.json.id}`)).toMatchObject({ json: { retention_days: 30 } });
  });

  test('POST and PATCH answer 422 to retention_days outside 1–30 (the stack has 30 days), to a fraction, a string and null', async () => {
    const { accountId } = await seedAccount(tables);

    for (const retention_days of [0, 31, 366, 1.5, '7', null]) {
      const answers = [
        await call('PATCH', `${path}/${accountId}`, { body: { retention_days } }),
        await call('POST', path, { body: { name: 'A', retention_days } }),
      ];

      for (const { status, json } of answers) {
        expect([status, json.errors[0].path]).toEqual([422, 'retention_days']);
      }
    }
  });

  test('PATCH answers 422 to a rate limit that is outside 1–30,000 or is not an integer, and 404 to an unknown account', async () => {
    const { accountId } = await seedAccount(tables);

    for (const rate_limit_per_minute of [0, 30_001, 1.5, '120', null]) {
      const { status, json } = await call('PATCH', `${path}/${accountId}`, { body: { rate_limit_per_minute } });

      expect(status).toBe(422);
      expect(json.errors[0].path).toBe('rate_limit_per_minute');
    }
    expect((await call('PATCH', `${path}/acc_01KA8Z3M9Q4T7V2X5B8D1F6H0J`, { body: { name: 'x' } })).status).toBe(404);
  });

  test('GET with limit=1 lists the newest account, and the next page, which is the last, omits that account', async () => {
    const { accountId } = await seedAccount(tables, { nowMs: Date.now() + 1000 });

    const { json } = await call('GET', path, { query: 'limit=1' });
    const next = await call('GET', path, { query: `limit=100&cursor=${json.next_cursor}` });

    expect(json.data[0].id).toBe(accountId);
    expect(next.json.data.map(({ id }: { id: string }) => id)).not.toContain(accountId);
    expect(next.json.next_cursor).toBeNull();
  });
});
