import { paginateScan } from '@aws-sdk/client-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { putPublicKeys } from '../../lambdas/adapters/keyring/public-keys.ts';
import { createKeyring, publicKeysOf } from '../../lambdas/domain/keyring/keyring.ts';
import type { ApiAnswer, ApiCall, Json } from '../helpers/api-call.ts';
import { aCaller, type CallAs, type Caller, useApi } from '../helpers/api-caller.ts';
import { putDelivery } from '../helpers/events-api.ts';
import { seedOperator } from '../helpers/seeded-keys.ts';
import { useTables } from '../helpers/tables.ts';

const URL_A = 'https://93.184.215.14/hook';

describe('GET /audit', () => {
  const tables = useTables();
  const native: Readonly<Record<string, CallAs>> = {
    webhooks: useApi(tables, 'webhooks-api'),
    deliveries: useApi(tables, 'deliveries-api'),
    events: useApi(tables, 'events-api'),
    catalogue: useApi(tables, 'catalogue-api'),
    keys: useApi(tables, 'keys-api'),
    accounts: useApi(tables, 'accounts-api'),
    audit: useApi(tables, 'audit-api'),
    tasks: useApi(tables, 'tasks-api'),
  };
  const passmint = useApi(tables, 'passmint-api', '/v1');
  const passcreator = useApi(tables, 'passcreator-api', '/api/hook');
  let me: Caller;
  let operator: Caller;
  beforeAll(async () => {
    await putPublicKeys(tables.client, tables.deliveryTable, publicKeysOf(createKeyring()));
    operator = { accountId: '', owner: '', key: await seedOperator(tables) };
  });
  beforeEach(async () => {
    me = await aCaller(tables);
  });

  const serving = (path: string): CallAs => {
    const [, first = '', , third = ''] = path.split('/');
    const name = ['test', 'recover'].includes(third)
      ? 'deliveries'
      : /types|templates/.test(first)
        ? 'catalogue'
        : first;
    const found = native[name];
    if (!found) throw new Error(`nobody serves ${path}`);
    return found;
  };
  const call = (method: string, path: string, body?: unknown, more: ApiCall = {}, caller = me): Promise<ApiAnswer> =>
    serving(path)(method, path, caller, { body, ...more });
  const create = async (path: string, body: unknown): Promise<Json> => {
    const { status, json } = await call('POST', path, body);
    expect(status).toBeLessThan(300);
    return json;
  };
  const hook = async (): Promise<string> => (await create('/webhooks', { url: URL_A, events: ['task.accepted'] })).id;
  const audit = async (query = '', caller = me): Promise<Json> =>
    (await call('GET', '/audit', undefined, { query }, caller)).json;
  const actions = async (): Promise<[string, string][]> =>
    (await audit('limit=100')).data.map(({ action, target }: Json) => [action, target]).toReversed();
  /** What a webhook's delivery of an event once was: dead. */
  const deadDelivery = (webhookId: string, { id, created_at }: Json) => {
    const of = { owner: me.owner, webhookId, eventId: id, createdAtMs: Date.parse(created_at) };
    return putDelivery(tables, of, { status: 'dead', ticket: 7, attempts_made: 6, settled_at: Date.now() });
  };
  const window = { since: '2026-01-01T00:00:00Z', until: '2099-01-01T00:00:00Z' };

  /** One call of every kind that changes something, in an order in which each can be done. */
  const changes = async () => {
    const webhook = await hook();
    const event = await create('/events', { type: 'task.accepted', data: {} });
    const { id: delivery } = await deadDelivery(webhook, event);
    const { id: key } = await create('/keys', { name: 'k', scopes: ['tasks:read'] });
    await call('PUT', '/event-types/old.type', { description: '' });
    await call('PUT', '/templates/old', { name: 'Old' });
    const mint = (await passmint('POST', '/webhooks', me, { body: { url: URL_A, events: ['*'] } })).json.id;
    const raw = { headers: { authorization: me.key } };
    const subscription = { target_url: `${URL_A}/2`, event: 'pass_created' };
    await passcreator('POST', '/subscribe', me, { ...raw, body: subscription });
    const asNative = (method: string, path: string, body?: unknown) => (more: ApiCall) =>
      call(method, path, body, more);
    const byOperator = (path: string, body: unknown) => (more: ApiCall) => call('PATCH', path, body, more, operator);
    const atMint = (method: string, path: string, body?: unknown) => (more: ApiCall) =>
      passmint(method, `/webhooks${path}`, me, { body, ...more });
    const atCreator = (method: string, path: string, body: unknown) => (more: ApiCall) =>
      passcreator(method, path, me, { body, ...raw, ...more });
    const hookNow = (): Promise<string> => hookIdOf(`${URL_A}/2`);
    return [
      ['webhook.created', null, asNative('POST', '/webhooks', { url: URL_A, events: ['*'] })],
      ['webhook.changed', webhook, asNative('PATCH', `/webhooks/${webhook}`, { description: 'new' })],
      ['webhook.secret_rotated', webhook, asNative('POST', `/webhooks/${webhook}/rotate-secret`, {})],
      ['webhook.tested', webhook, asNative('POST', `/webhooks/${webhook}/test`, {})],
      ['webhook.recovery_started', webhook, asNative('POST', `/webhooks/${webhook}/recover`, window)],
      ['delivery.retried', delivery, asNative('POST', `/deliveries/${delivery}/retry`)],
      ['event.replayed', event.id, asNative('POST', `/events/${event.id}/replay`, {})],
      ['event.payload_deleted', event.id, asNative('DELETE', `/events/${event.id}/payload`)],
      ['event_type.put', 'new.type', asNative('PUT', '/event-types/new.type', { description: 'd' })],
      ['event_type.put', 'old.type', asNative('PUT', '/event-types/old.type', { description: 'changed' })],
      ['event_type.deleted', 'old.type', asNative('DELETE', '/event-types/old.type')],
      ['template.put', 'old', asNative('PUT', '/templates/old', { name: 'Newer' })],
      ['template.deleted', 'old', asNative('DELETE', '/templates/old')],
      ['key.created', null, asNative('POST', '/keys', { name: 'more', scopes: ['tasks:read'] })],
      ['key.rotated', key, asNative('POST', `/keys/${key}/rotate`, {})],
      ['account.changed', me.accountId, byOperator(`/accounts/${me.accountId}`, { name: 'Renamed' })],
      ['webhook.created', null, atMint('POST', '', { url: URL_A, events: ['pass.created'] })],
      ['webhook.changed', mint, atMint('PATCH', `/${mint}`, { enabled: false })],
      ['webhook.secret_rotated', mint, atMint('POST', `/${mint}/rotate-secret`, {})],
      ['webhook.deleted', mint, atMint('DELETE', `/${mint}`)],
      ['webhook.created', null, atCreator('POST', '/subscribe', { ...subscription, event: 'pass_template_updated' })],
      ['webhook.changed', await hookNow(), atCreator('POST', '/subscribe', { ...subscription, signPayload: true })],
      ['webhook.deleted', webhook, asNative('DELETE', `/webhooks/${webhook}`)],
    ] as const;
  };
  const hookIdOf = async (url: string): Promise<string> =>
    (await call('GET', '/webhooks')).json.data.find((webhook: Json) => webhook.url === url)?.id;

  /** Every row of both tables, but for what counting requests changes. */
  const everything = async (): Promise<string[]> => {
    const rows: string[] = [];
    for (const TableName of [tables.domainTable, tables.deliveryTable]) {
      for await (const { Items = [] } of paginateScan({ client: tables.client }, { TableName, ConsistentRead: true })) {
        rows.push(...Items.map((item) => JSON.stringify({ ...unmarshall(item), n: 0, ws: 0 }, sorted)));
      }
    }
    return rows.toSorted();
  };
  const sorted = (_: string, value: unknown) =>
    value instanceof Set
      ? [...value].toSorted()
      : value && typeof value === 'object' && !Array.isArray(value)
        ? Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)))
        : value;

  it('tells of every change by any surface who made it, of what, and from where', async () => {
    for (const [action, target, perform] of await changes()) {
      const before = (await audit('limit=100')).data.length;

      const { status } = await perform({ sourceIp: '203.0.113.7' });

      const { data } = await audit('limit=100');
      expect([action, status]).toEqual([action, expect.toSatisfy((code: number) => code >= 200 && code < 300)]);
      expect(data.length - before).toBe(1);
      const byOperator = action.startsWith('account.');
      expect(data[0]).toEqual({
        id: expect.stringMatching(/^aud_[0-9A-Z]{26}$/),
        at: expect.any(String),
        key_id: expect.stringMatching(byOperator ? /^key_Z0/ : /^key_/),
        action,
        target: target ?? expect.stringMatching(/^(whk|key)_/),
        ip: '203.0.113.7',
      });
    }
  });

  // An address of half a megabyte is one that no row can hold: DynamoDB refuses the entry, and with it all that stands beside it.
  it('keeps no change whose entry could not be put', async () => {
    for (const [action, , perform] of await changes()) {
      const before = await everything();

      const { status } = await perform({ sourceIp: '9'.repeat(500_000) });

      expect([action, status]).toEqual([action, 500]);
      expect(await everything()).toEqual(before);
      expect((await perform({})).status).toBeLessThan(300);
    }
  });

  it('keeps no account whose entry could not be put', async () => {
    const before = await everything();

    const { status } = await call('POST', '/accounts', { name: 'New' }, { sourceIp: '9'.repeat(500_000) }, operator);

    expect(status).toBe(500);
    expect(await everything()).toEqual(before);
  });

  it('revokes a key even where its entry could not be put, and leaves that to the repeat', async () => {
    const { id, key } = await create('/keys', { name: 'stolen', scopes: ['audit:read'] });
    const thief: Caller = { ...me, key };

    const failed = await call('DELETE', `/keys/${id}`, undefined, { sourceIp: '9'.repeat(500_000) });
    const used = await call('GET', '/audit', undefined, {}, thief);
    const repeated = await call('DELETE', `/keys/${id}`);
    const again = await call('DELETE', `/keys/${id}`);

    expect([failed.status, used.status, repeated.status, again.status]).toEqual([500, 401, 204, 404]);
    expect((await actions()).filter(([action]) => action === 'key.revoked')).toEqual([['key.revoked', id]]);
  });

  it('tells once of what was repeated, and nothing of what was refused', async () => {
    const webhook = await hook();
    const event = await create('/events', { type: 'task.accepted', data: {} });
    const before = await actions();
    const once = { headers: { 'idempotency-key': 'a-1' } };
    const none = 'whk_01KA8Z3M9Q4T7V2X5B8D1F6H0J';

    for (const _ of [1, 2]) await call('POST', `/webhooks/${webhook}/rotate-secret`, {}, once);
    for (const _ of [1, 2]) await call('POST', '/keys', { name: 'k', scopes: ['tasks:read'] }, once);
    for (const _ of [1, 2]) await call('POST', `/webhooks/${webhook}/test`, {}, once);
    for (const _ of [1, 2]) await call('DELETE', `/events/${event.id}/payload`);
    for (const _ of [1, 2]) await call('DELETE', `/webhooks/${webhook}`);
    await call('PATCH', `/webhooks/${none}`, { description: 'x' });
    await call('POST', '/webhooks', { url: 'nowhere', events: ['*'] });
    await call('POST', '/keys', { name: 'k', scopes: ['admin'] });
    await call('DELETE', '/event-types/none');
    await call('DELETE', '/templates/none');
    await call('PATCH', `/accounts/${me.accountId}`, { name: 'Mine' });
    await call('POST', `/webhooks/${webhook}/recover`, { ...window, dry_run: true });

    const since = (await actions()).slice(before.length).map(([action]) => action);
    expect(since).toEqual([
      'webhook.secret_rotated',
      'key.created',
      'webhook.tested',
      'event.payload_deleted',
      'webhook.deleted',
    ]);
  });

  it('leaves tasks and published events to be their own record', async () => {
    const before = await audit();

    await create('/events', { type: 'task.accepted', data: {} });
    await create('/tasks', {
      item: 'Pass',
      pickup: { city: 'Oslo', address: 'A' },
      dropoff: { city: 'Oslo', address: 'B' },
    });

    expect(await audit()).toEqual(before);
  });

  it('begins with the account’s making, by the operator', async () => {
    const made = await call('POST', '/accounts', { name: 'New' }, {}, operator);
    const theirs: Caller = { accountId: made.json.id, owner: '', key: made.json.key };

    expect((await audit('', theirs)).data).toMatchObject([{ action: 'account.created', target: made.json.id }]);
  });

  it('is the account’s, of both modes, newest first in pages, and for its scope alone', async () => {
    const test = await aCaller(tables, { accountId: me.accountId, mode: 'test' });
    const other = await aCaller(tables);
    const unscoped = await aCaller(tables, { accountId: me.accountId, scopes: ['keys:read'] });
    const begin = new Date().toISOString();
    for (const [caller, name] of [
      [me, 'a'],
      [test, 'b'],
      [me, 'c'],
    ] as const) {
      await call('PUT', `/templates/${name}`, { name }, {}, caller);
    }

    const first = await audit('limit=2', test);
    const second = await audit(`limit=2&cursor=${first.next_cursor}`);
    const mine = await audit(`since=${begin}`);

    expect(first.data.map(({ target }: Json) => target)).toEqual(['c', 'b']);
    expect(second.data[0].target).toBe('a');
    expect(mine).toMatchObject({ data: [{ target: 'c' }, { target: 'b' }, { target: 'a' }], next_cursor: null });
    expect((await audit(`until=${begin}`)).data.map(({ target }: Json) => target)).not.toContain('a');
    expect((await audit('', other)).data.map(({ target }: Json) => target)).not.toContain('a');
    expect((await call('GET', '/audit', undefined, {}, unscoped)).status).toBe(403);
    expect((await call('GET', '/audit', undefined, { query: 'since=yesterday' })).json.errors[0].path).toBe('since');
  });
});
