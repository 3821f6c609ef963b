import { PutItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import { describe, expect, it } from 'vitest';
import { hashApiKey } from '../../lambdas/domain/accounts/api-key.ts';
import { drawId } from '../../lambdas/domain/foundation/id.ts';
import { useAccountsApi } from '../helpers/accounts-api.ts';
import { seedKey } from '../helpers/seeded-keys.ts';
import { useTables } from '../helpers/tables.ts';

const url = 'https://93.184.215.14/hook';

describe('DELETE /accounts/{id}', () => {
  const tables = useTables();
  const { current, call, done, inMode, remove, isThere, isRefused, rows } = useAccountsApi(tables);
  const actions = async () => (await rows()).filter(({ kind }) => kind === 'audit').map(({ action }) => action);

  it('takes an empty account away, with its keys of both modes at once', async () => {
    const { me, operator } = current;
    const test = await inMode('test');
    expect([await isRefused(me.key), await isRefused(test.key)]).toEqual([false, false]);

    const removed = await remove();

    expect(removed).toMatchObject({ status: 204, text: '' });
    expect([await isRefused(me.key), await isRefused(test.key), await isThere()]).toEqual([true, true, false]);
    expect((await call(operator, 'GET', '/accounts')).text).not.toContain(me.accountId);
    expect((await actions()).toSorted()).toEqual([
      ...['account.created', 'account.deleted', 'key.created', 'key.created'],
      ...['key.revoked', 'key.revoked', 'key.revoked'],
    ]);
    expect((await remove()).status).toBe(404);
  });

  it('leaves nothing behind that does not expire', async () => {
    for (const caller of [current.me, await inMode('test')]) {
      await done(caller, 'PUT', '/event-types/order.paid', { description: '' });
      const { id } = await done(caller, 'POST', '/webhooks', { url, events: ['order.paid', 'task.created', '*'] });
      await done(caller, 'POST', '/events', { type: 'order.paid', data: {} });
      await done(caller, 'DELETE', `/webhooks/${id}`);
      await done(caller, 'DELETE', '/event-types/order.paid');
    }

    expect((await remove()).status).toBe(204);

    const left = await rows();
    expect(left.filter(({ ttl }) => ttl === undefined)).toEqual([]);
    expect(left.map(({ kind }) => kind)).toEqual(expect.arrayContaining(['event', 'audit', 'webhook', 'api-key']));
  });

  it('ends more keys than a transaction holds', async () => {
    const { accountId } = current.me;
    const keys = await Promise.all(Array.from({ length: 120 }, () => seedKey(tables, accountId)));

    expect((await remove()).status).toBe(204);

    const left = await rows();
    const ended = left.filter(({ kind }) => kind === 'api-key');
    expect(ended).toHaveLength(122);
    expect(ended.filter(({ revoked_at }) => revoked_at === undefined)).toEqual([]);
    expect(left.filter(({ kind }) => kind === 'api-key-listing')).toEqual([]);
    expect(await isRefused(keys[60] ?? '')).toBe(true);
  });

  // An address of half a megabyte is one that no row can hold: DynamoDB refuses the entry, and with it all that stands beside it.
  it('keeps an account whose entry could not be put, without keys, and leaves it to the repeat', async () => {
    const { me } = current;
    const { data } = await done(me, 'GET', '/keys');

    const failed = await remove(me.accountId, { sourceIp: '9'.repeat(500_000) });

    const listed = (await rows()).filter(({ kind }) => kind === 'api-key-listing');
    expect([failed.status, listed.length, await isRefused(me.key)]).toEqual([500, data.length, true]);
    expect(await isThere()).toBe(true);
    expect((await remove()).status).toBe(204);
    expect((await actions()).filter((action) => action === 'account.deleted')).toHaveLength(1);
  });

  it('takes away what release 0.1.0 made, whose keys work until then', async () => {
    // Rows as that release wrote them.
    const created_at = '2026-11-22T04:00:29.000Z';
    const [id, keyId] = [drawId('acc', Date.parse(created_at)), drawId('key', Date.parse(created_at))];
    const key = 'pp_live_0123456789abcdefghijklmnopqrstuv';
    const account = { id, name: 'Smoke test', rate_limit_per_minute: 120, created_at };
    const scopes = ['keys:read', 'keys:write', 'tasks:read'];
    const apiKey = { id: keyId, account_id: id, name: 'first key', prefix: 'pp_live_0123', scopes, mode: 'live' };
    for (const row of [
      { ...account, pk: 'ACCOUNTS', sk: id, kind: 'account' },
      { ...apiKey, limit: 120, created_at, ws: 0, n: 0, pk: `K#${hashApiKey(key)}`, sk: 'key', kind: 'api-key' },
      { pk: `A#${id}`, sk: keyId, kind: 'api-key-listing', hash: hashApiKey(key) },
    ]) {
      await tables.client.send(new PutItemCommand({ TableName: tables.deliveryTable, Item: marshall(row) }));
    }
    current.me = { accountId: id, owner: `${id}#live`, key };
    const made = await done(current.me, 'POST', '/keys', { name: 'till', scopes: ['keys:read'] });
    expect([await isRefused(key), await isRefused(made.key)]).toEqual([false, false]);

    expect((await remove()).status).toBe(204);

    expect([await isRefused(key), await isRefused(made.key)]).toEqual([true, true]);
    expect((await rows()).filter(({ ttl }) => ttl === undefined)).toEqual([]);
  });

  it('lets the call that made the account have its first answer again', async () => {
    const create = () =>
      call(current.operator, 'POST', '/accounts', { name: 'Once' }, { headers: { 'idempotency-key': 'deleted-1' } });
    const { id } = (await create()).json;

    expect((await remove(id)).status).toBe(204);

    expect(await create()).toMatchObject({ status: 201, json: { id } });
    expect(await isThere(id)).toBe(false);
  });
});
