import { BatchWriteItemCommand, PutItemCommand, TransactWriteItemsCommand } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import { describe, expect, it } from 'vitest';
import { putApiKey } from '../../lambdas/adapters/accounts/api-keys.ts';
import { createRollUpStore } from '../../lambdas/adapters/maintenance/roll-up-store.ts';
import { accountScopes, hashApiKey } from '../../lambdas/domain/accounts/api-key.ts';
import { newApiKey } from '../../lambdas/domain/accounts/create-api-key.ts';
import { drawId } from '../../lambdas/domain/foundation/id.ts';
import { useAccountsApi } from '../helpers/accounts-api.ts';
import { rowsHolding } from '../helpers/api-caller.ts';
import { fanOutRow } from '../helpers/fanned-out.ts';
import { tableNames } from '../helpers/seeded-keys.ts';
import { useTables } from '../helpers/tables.ts';

const url = 'https://93.184.215.14/hook';
const place = { city: 'Oslo', address: 'A' };
const task = { item: 'Pass', pickup: place, dropoff: place };

describe('DELETE /accounts/{id}', () => {
  const tables = useTables();
  const { current, call, callOk, inMode, remove, accountExists, isKeyRefused, rows } = useAccountsApi(tables);
  const actions = async () => (await rows()).filter(({ kind }) => kind === 'audit').map(({ action }) => action);

  it('answers 204 for an empty account, revokes its live and test keys and writes audit entries, and answers 404 to a second call', async () => {
    const { caller, operator } = current;
    const testCaller = await inMode('test');
    expect([await isKeyRefused(caller.key), await isKeyRefused(testCaller.key)]).toEqual([false, false]);

    const removed = await remove();

    expect(removed).toMatchObject({ status: 204, text: '' });
    expect([await isKeyRefused(caller.key), await isKeyRefused(testCaller.key), await accountExists()]).toEqual([
      true,
      true,
      false,
    ]);
    expect((await call(operator, 'GET', '/accounts')).text).not.toContain(caller.accountId);
    expect((await actions()).toSorted()).toEqual([
      ...['account.created', 'account.deleted', 'key.created', 'key.created'],
      ...['key.revoked', 'key.revoked', 'key.revoked'],
    ]);
    expect((await remove()).status).toBe(404);
  });

  it('answers 204 for an account whose webhooks and event types of both modes were deleted, and leaves only rows with a ttl', async () => {
    for (const caller of [current.caller, await inMode('test')]) {
      await callOk(caller, 'PUT', '/event-types/order.paid', { description: '' });
      const { id } = await callOk(caller, 'POST', '/webhooks', { url, events: ['order.paid', 'task.created', '*'] });
      await callOk(caller, 'POST', '/events', { type: 'order.paid', data: {} });
      await callOk(caller, 'DELETE', `/webhooks/${id}`);
      await callOk(caller, 'DELETE', '/event-types/order.paid');
    }

    expect((await remove()).status).toBe(204);

    const remaining = await rows();
    expect(remaining.filter(({ ttl }) => ttl === undefined)).toEqual([]);
    expect(remaining.map(({ kind }) => kind)).toEqual(expect.arrayContaining(['event', 'audit', 'api-key']));
  });

  it('submits a command for each mode that erases the 501 tasks without personal data that the account has left, in pages of 250', async () => {
    const { caller } = current;
    const { id } = await callOk(caller, 'POST', '/tasks', task);
    await callOk(caller, 'POST', `/tasks/${id}/cancel`);
    await callOk(caller, 'DELETE', `/tasks/${id}/personal-data`);
    const ofCaller = async () =>
      (await rowsHolding(tables, tables.domainTable, 'T#')).filter(({ owner }) => owner === caller.owner);
    const [erased] = await ofCaller();
    const copies = Array.from({ length: 500 }, (_, i) => ({ ...erased, pk: `T#tsk_${i}` }));
    for (let i = 0; i < copies.length; i += 25) {
      const requests = copies.slice(i, i + 25).map((copy) => ({ PutRequest: { Item: marshall(copy) } }));
      await tables.client.send(new BatchWriteItemCommand({ RequestItems: { [tables.domainTable]: requests } }));
    }

    expect((await remove()).status).toBe(204);

    const commands = async () => (await rows()).filter(({ type }) => type === 'erase-tasks');
    const submitted = await commands();
    expect(submitted.map(({ owner, step }) => [owner, step])).toEqual([
      [caller.owner, 1],
      [`${caller.accountId}#test`, 1],
    ]);
    const left: number[] = [];
    for (let step = 1; step <= 3; step++) {
      for (const command of await commands()) if (command.step === step) await fanOutRow(tables, command);
      left.push((await ofCaller()).length);
    }
    expect(left).toEqual([251, 1, 0]);
  });

  // The roll-up may not read accounts. It finds their webhooks through a list of ids, which POST and DELETE change.
  it('removes the account from the accounts that the roll-up walks, and POST /accounts adds it', async () => {
    const { accountId } = current.caller;
    const walked = async () => {
      const ids: string[] = [];
      for await (const id of createRollUpStore(tables.client, tableNames(tables), 30).accounts(null)) ids.push(id);
      return ids;
    };
    expect(await walked()).toContain(accountId);

    expect((await remove()).status).toBe(204);

    expect(await walked()).not.toContain(accountId);
  });

  it('answers 204 for an account with 122 API keys, more than one transaction can hold, and revokes all 122 keys', async () => {
    const { accountId } = current.caller;
    // Adds the keys with their rows, because an account that was created before the limit may have more than 100.
    const settings = { limit: 120, requests_per_minute: 1200, counts_for_account: true };
    const keys = Array.from({ length: 120 }, () =>
      newApiKey({ accountId, name: 'key', scopes: accountScopes, ...settings }, 'live', Date.now()),
    );
    const rowsOfKeys = keys.map((key) => ({ TransactItems: putApiKey(tables.credentialsTable, key) }));
    await Promise.all(rowsOfKeys.map((items) => tables.client.send(new TransactWriteItemsCommand(items))));

    expect((await remove()).status).toBe(204);

    const remaining = await rows();
    const keyRows = remaining.filter(({ kind }) => kind === 'api-key');
    expect(keyRows).toHaveLength(122);
    expect(keyRows.filter(({ revoked_at }) => revoked_at === undefined)).toEqual([]);
    expect(remaining.filter(({ kind }) => kind === 'api-key-listing')).toEqual([]);
    expect(await isKeyRefused(keys[60]?.secret ?? '')).toBe(true);
  });

  // A source IP of 500,000 characters makes the audit entry larger than a row may be: DynamoDB rejects the whole transaction.
  it('answers 500 when its audit entry cannot be written: the account exists but its API key gets 401; a second call answers 204', async () => {
    const { caller } = current;
    const { data } = await callOk(caller, 'GET', '/keys');

    const failed = await remove(caller.accountId, { sourceIp: '9'.repeat(500_000) });

    const listings = (await rows()).filter(({ kind }) => kind === 'api-key-listing');
    expect([failed.status, listings.length, await isKeyRefused(caller.key)]).toEqual([500, data.length, true]);
    expect(await accountExists()).toBe(true);
    expect((await remove()).status).toBe(204);
    expect((await actions()).filter((action) => action === 'account.deleted')).toHaveLength(1);
  });

  it('answers 204 for an account whose rows have only the fields of release 0.1.0: its two keys work before the call and get 401 afterwards', async () => {
    // Rows with the fields that release 0.1.0 wrote.
    const created_at = '2026-11-22T04:00:29.000Z';
    const [id, keyId] = [drawId('acc', Date.parse(created_at)), drawId('key', Date.parse(created_at))];
    const key = 'pp_live_0123456789abcdefghijklmnopqrstuv';
    const account = { id, name: 'Smoke test', rate_limit_per_minute: 120, created_at };
    const scopes = ['keys:read', 'keys:write', 'tasks:read'];
    const apiKey = { id: keyId, account_id: id, name: 'first key', prefix: 'pp_live_0123', scopes, mode: 'live' };
    for (const row of [
      { ...account, pk: 'ACCOUNTS', sk: id, kind: 'account' },
      { ...apiKey, limit: 120, created_at, ws: 0, n: 0, pk: `K#${hashApiKey(key)}`, sk: 'key', kind: 'api-key' },
      { pk: `L#${id}`, sk: keyId, kind: 'api-key-listing', hash: hashApiKey(key) },
    ]) {
      await tables.client.send(new PutItemCommand({ TableName: tables.credentialsTable, Item: marshall(row) }));
    }
    current.caller = { accountId: id, owner: `${id}#live`, key };
    const secondKey = await callOk(current.caller, 'POST', '/keys', { name: 'till', scopes: ['keys:read'] });
    expect([await isKeyRefused(key), await isKeyRefused(secondKey.key)]).toEqual([false, false]);

    expect((await remove()).status).toBe(204);

    expect([await isKeyRefused(key), await isKeyRefused(secondKey.key)]).toEqual([true, true]);
    expect((await rows()).filter(({ ttl }) => ttl === undefined)).toEqual([]);
  });

  it('afterwards, POST /accounts with the Idempotency-Key of the deleted account answers 201 with the old id, and the account stays deleted', async () => {
    const create = () =>
      call(current.operator, 'POST', '/accounts', { name: 'Once' }, { headers: { 'idempotency-key': 'deleted-1' } });
    const { id } = (await create()).json;

    expect((await remove(id)).status).toBe(204);

    expect(await create()).toMatchObject({ status: 201, json: { id } });
    expect(await accountExists(id)).toBe(false);
  });
});
