import { PutItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import { beforeEach, describe, expect, it } from 'vitest';
import { createAccountCeiling } from '../../../lambdas/adapters/accounts/account-ceiling.ts';
import { createKeyAuthenticator } from '../../../lambdas/adapters/accounts/authenticate-key.ts';
import { createKeysTable } from '../../../lambdas/adapters/accounts/keys-table.ts';
import { hashApiKey } from '../../../lambdas/domain/accounts/api-key.ts';
import { auditEntry } from '../../../lambdas/domain/foundation/audit.ts';
import { rowsHolding } from '../../helpers/api-caller.ts';
import { seedAccount, seedKey, tableNames } from '../../helpers/seeded-keys.ts';
import { useTables } from '../../helpers/tables.ts';

const start = Date.parse('2026-11-16T09:30:00.000Z');

describe('the ceiling of an account', () => {
  const tables = useTables();
  let writes: number;
  /** Returns a client like the tables' client that counts its calls. */
  const countingClient = () =>
    ({
      send: (command: never) => {
        writes += 1;
        return tables.client.send(command);
      },
    }) as unknown as typeof tables.client;
  beforeEach(() => {
    writes = 0;
  });

  const instance = () => createKeyAuthenticator(tables.client, tables.credentialsTable).authenticate;
  const seedKeys = async (accountId: string, count: number) => {
    const keys: string[] = [];
    for (let i = 0; i < count; i++) keys.push(await seedKey(tables, accountId));
    return keys;
  };
  const minuteRows = (accountId: string) => rowsHolding(tables, tables.credentialsTable, `K#${accountId}`);
  const revokeAll = async (accountId: string) => {
    const keys = createKeysTable(tables.client, tableNames(tables));
    for (const { id, hash } of (await keys.listed(accountId, start)).living) {
      const entry = auditEntry({ accountId, keyId: 'key_1', ip: '192.0.2.1' }, 'key.revoked', id, start);
      await keys.revoke(accountId, { id, hash }, entry, start);
    }
  };
  /** Makes requests with each key at the same time, each in an instance of its own. Returns the number that passed. */
  const passedOf = async (keys: readonly string[], requestsOfKey: number, nowMs: number) => {
    const requests = keys.flatMap((key) => Array.from({ length: requestsOfKey }, () => instance()(key, nowMs)));
    return (await Promise.all(requests)).filter(({ outcome }) => outcome === 'passed').length;
  };

  it('stops an account with 14 keys at ten times the limit of one key: of 70 simultaneous requests within the limits of the keys, 50 pass, and 50 in the next minute', async () => {
    const { accountId, key } = await seedAccount(tables, { limit: 5 });
    const keys = [key, ...(await seedKeys(accountId, 13))];

    expect(await passedOf(keys, 5, start + 59_000)).toBe(50);
    expect(await passedOf(keys, 1, start + 59_999)).toBe(0);
    expect(await passedOf(keys, 5, start + 119_000)).toBe(50);
  });

  it('costs an account with ten keys nothing: no row counts its requests, and all keys together pass ten times their limit', async () => {
    const { accountId, key } = await seedAccount(tables, { limit: 3 });
    const keys = [key, ...(await seedKeys(accountId, 9))];

    expect(await passedOf(keys, 4, start)).toBe(30);
    expect(await minuteRows(accountId)).toEqual([]);
  });

  it('lets an account that replaces its keys pass twice its ceiling in the minute in which it gets its eleventh key, and the ceiling in later minutes', async () => {
    const { accountId, key } = await seedAccount(tables, { limit: 2 });
    const replaced = async (nowMs: number) => {
      await revokeAll(accountId);
      return passedOf(await seedKeys(accountId, 10), 2, nowMs);
    };

    const first = await passedOf([key, ...(await seedKeys(accountId, 9))], 2, start);
    const inMinute = [first, await replaced(start), await replaced(start)];
    const inNext = [await replaced(start + 60_000), await replaced(start + 60_000)];

    expect(inMinute).toEqual([20, 20, 0]);
    expect(inNext).toEqual([20, 0]);
  });

  it('answers limited with the ceiling and the end of the minute of the clock, and remembers this for 5 s without a call', async () => {
    const { accountId } = await seedAccount(tables, { limit: 1 });
    const [key = ''] = (await seedKeys(accountId, 12)).slice(-1);
    await Promise.all(Array.from({ length: 10 }, () => ceilingOf().count(accountId, 10, start + 1)));
    const { authenticate } = createKeyAuthenticator(countingClient(), tables.credentialsTable);

    const refused = await authenticate(key, start + 20_000);
    const calls = writes;
    await authenticate(key, start + 24_999);

    const quota = { limit: 10, remaining: 0, resetAtMs: start + 60_000, isOfAccount: true };
    expect(refused).toEqual({ outcome: 'limited', quota });
    expect(writes).toBe(calls);
  });

  const ceilingOf = (client = tables.client) => createAccountCeiling(client, tables.credentialsTable);

  it('passes exactly 1,200 of 1,210 requests of one instance, with fewer than 40 writes for the first 600 and fewer than 250 for all', async () => {
    const ceiling = ceilingOf(countingClient());
    const count = async (requests: number) => {
      let passed = 0;
      for (let i = 0; i < requests; i++) if ((await ceiling.count('acc_ONE', 1200, start + i)) === null) passed += 1;
      return passed;
    };

    expect(await count(600)).toBe(600);
    expect(writes).toBeLessThan(40);
    expect(await count(610)).toBe(600);
    expect(writes).toBeLessThan(250);
  });

  it('passes at most 600 of 800 requests of eight instances that stop at different times, and at least 84 % of 600', async () => {
    const instances = Array.from({ length: 8 }, () => ceilingOf());
    let passed = 0;

    for (let i = 0; i < 800; i++) {
      // The first instances get requests at the beginning only, so their reservations stay unused.
      const each = instances[Math.max(i % 8, Math.floor(i / 100))];
      if ((await each?.count('acc_EIGHT', 600, start)) === null) passed += 1;
    }

    expect(passed).toBeLessThanOrEqual(600);
    expect(passed).toBeGreaterThanOrEqual(504);
  });

  it('refuses the next request of an instance that has reserved 20 requests when the ceiling is lowered from 1,000 to 20', async () => {
    const ceiling = ceilingOf();
    expect(await ceiling.count('acc_LOWERED', 1000, start)).toBeNull();

    expect(await ceiling.count('acc_LOWERED', 20, start + 1)).toMatchObject({ limit: 20, remaining: 0 });
  });

  it('passes exactly 40 of 100 simultaneous requests in 100 instances with a ceiling of 40', async () => {
    const counted = await Promise.all(Array.from({ length: 100 }, () => ceilingOf().count('acc_MANY', 40, start)));

    expect(counted.filter((quota) => quota === null)).toHaveLength(40);
    expect(await minuteRows('acc_MANY')).toEqual([
      expect.objectContaining({ kind: 'account-minute', n: 40, ttl: start / 1000 + 86_400 }),
    ]);
  });

  it('counts the requests of all keys as soon as the account has its eleventh key, also of a key whose row an earlier release wrote', async () => {
    const { accountId, key } = await seedAccount(tables, { limit: 1 });
    const [row] = await rowsHolding(tables, tables.credentialsTable, hashApiKey(key));
    const { requests_per_minute, counts_for_account, ...earlier } = row ?? {};
    await tables.client.send(new PutItemCommand({ TableName: tables.credentialsTable, Item: marshall(earlier) }));

    const keys = [key, ...(await seedKeys(accountId, 11))];

    const rows = (await rowsHolding(tables, tables.credentialsTable, 'K#')).filter(
      ({ account_id }) => account_id === accountId,
    );

    expect(rows.map(({ counts_for_account }) => counts_for_account)).toEqual(keys.map(() => true));
    expect(rows.map(({ requests_per_minute }) => requests_per_minute)).toEqual(keys.map(() => 10));
    expect(rows.map(({ pk }) => pk).toSorted()).toEqual(keys.map((each) => `K#${hashApiKey(each)}`).toSorted());
  });
});
