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

/** The functions that serve more resources than the one of their name. */
const servedBy: Readonly<Record<string, string>> = { 'event-types': 'catalogue', templates: 'catalogue' };

describe('the audit entries of an account (GET /audit)', () => {
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
  let caller: Caller;
  let operator: Caller;
  beforeAll(async () => {
    await putPublicKeys(tables.client, tables.credentialsTable, publicKeysOf(createKeyring()));
    operator = { accountId: '', owner: '', key: await seedOperator(tables) };
  });
  beforeEach(async () => {
    caller = await aCaller(tables);
  });

  const apiOf = (path: string): CallAs => {
    const [, first = '', , third = ''] = path.replace('signing-keys', 'webhooks').split('/');
    const name = ['test', 'recover'].includes(third) ? 'deliveries' : (servedBy[first] ?? first);
    const api = native[name];
    if (!api) throw new Error(`no API function serves ${path}`);
    return api;
  };
  const call = (
    method: string,
    path: string,
    body?: unknown,
    options: ApiCall = {},
    sentBy = caller,
  ): Promise<ApiAnswer> => apiOf(path)(method, path, sentBy, { body, ...options });
  const create = async (path: string, body: unknown): Promise<Json> => {
    const { status, json } = await call('POST', path, body);
    expect(status).toBeLessThan(300);
    return json;
  };
  const createWebhook = async (): Promise<string> =>
    (await create('/webhooks', { url: URL_A, events: ['task.accepted'] })).id;
  const audit = async (query = '', sentBy = caller): Promise<Json> =>
    (await call('GET', '/audit', undefined, { query }, sentBy)).json;
  const actions = async (): Promise<[string, string][]> =>
    (await audit('limit=100')).data.map(({ action, target }: Json) => [action, target]).toReversed();
  /** Stores a dead delivery of the event to the webhook. */
  const addDeadDelivery = (webhookId: string, { id, created_at }: Json) => {
    const identity = { owner: caller.owner, webhookId, eventId: id, createdAtMs: Date.parse(created_at) };
    return putDelivery(tables, identity, { status: 'dead', ticket: 7, attempts_made: 6, settled_at: Date.now() });
  };
  const window = { since: '2026-01-01T00:00:00Z', until: '2099-01-01T00:00:00Z' };

  /** One call for each kind of audited change, in an order in which every call succeeds. */
  const changes = async () => {
    const webhook = await createWebhook();
    const event = await create('/events', { type: 'task.accepted', data: {} });
    const { id: delivery } = await addDeadDelivery(webhook, event);
    const { id: key } = await create('/keys', { name: 'k', scopes: ['tasks:read'] });
    await call('PUT', '/event-types/old.type', { description: '' });
    await call('PUT', '/templates/old', { name: 'Old' });
    const mintWebhook = (await passmint('POST', '/webhooks', caller, { body: { url: URL_A, events: ['*'] } })).json.id;
    const raw = { headers: { authorization: caller.key } };
    const subscription = { target_url: `${URL_A}/2`, event: 'pass_created' };
    await passcreator('POST', '/subscribe', caller, { ...raw, body: subscription });
    // Creates the ES256 key, which a signed subscription creates before its own transaction.
    await passcreator('GET', '/publickey', caller, raw);
    const asNative = (method: string, path: string, body?: unknown) => (options: ApiCall) =>
      call(method, path, body, options);
    const byOperator = (path: string, body: unknown) => (options: ApiCall) =>
      call('PATCH', path, body, options, operator);
    const atPassmint = (method: string, path: string, body?: unknown) => (options: ApiCall) =>
      passmint(method, `/webhooks${path}`, caller, { body, ...options });
    const atPasscreator = (method: string, path: string, body: unknown) => (options: ApiCall) =>
      passcreator(method, path, caller, { body, ...raw, ...options });
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
      ['signing_key.rotated', 'ES256', asNative('POST', '/signing-keys/rotate', { algorithm: 'ES256' })],
      ['account.changed', caller.accountId, byOperator(`/accounts/${caller.accountId}`, { name: 'Renamed' })],
      ['webhook.created', null, atPassmint('POST', '', { url: URL_A, events: ['pass.created'] })],
      ['webhook.changed', mintWebhook, atPassmint('PATCH', `/${mintWebhook}`, { enabled: false })],
      ['webhook.secret_rotated', mintWebhook, atPassmint('POST', `/${mintWebhook}/rotate-secret`, {})],
      ['webhook.deleted', mintWebhook, atPassmint('DELETE', `/${mintWebhook}`)],
      [
        'webhook.created',
        null,
        atPasscreator('POST', '/subscribe', { ...subscription, event: 'pass_template_updated' }),
      ],
      [
        'webhook.changed',
        await webhookIdOf(subscription.target_url),
        atPasscreator('POST', '/subscribe', { ...subscription, signPayload: true }),
      ],
      ['webhook.deleted', webhook, asNative('DELETE', `/webhooks/${webhook}`)],
    ] as const;
  };
  const webhookIdOf = async (url: string): Promise<string> =>
    (await call('GET', '/webhooks')).json.data.find((webhook: Json) => webhook.url === url)?.id;

  /** Every row of the three tables. The request counters `n` and `ws` are set to 0, because every call changes them. */
  const allRows = async (): Promise<string[]> => {
    const rows: string[] = [];
    for (const TableName of [tables.domainTable, tables.deliveryTable, tables.credentialsTable]) {
      for await (const { Items = [] } of paginateScan({ client: tables.client }, { TableName, ConsistentRead: true })) {
        rows.push(...Items.map((item) => JSON.stringify({ ...unmarshall(item), n: 0, ws: 0 }, withSortedKeys)));
      }
    }
    return rows.toSorted();
  };
  const withSortedKeys = (_: string, value: unknown) =>
    value instanceof Set
      ? [...value].toSorted()
      : value && typeof value === 'object' && !Array.isArray(value)
        ? Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)))
        : value;

  it('each of 24 changes by the native, PassMint and Passcreator API adds one entry with key id, actor, action, target and source IP', async () => {
    const fields: unknown[] = [];
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
        key_id: expect.stringMatching(byOperator ? /^opr_/ : /^key_/),
        action,
        target: target ?? expect.stringMatching(/^(whk|key)_/),
        ip: '203.0.113.7',
        fields: expect.any(Array),
        actor: {
          type: byOperator ? 'operator' : 'key',
          id: data[0].key_id,
          name: byOperator ? 'operator' : 'key',
        },
      });
      if (data[0].fields.length > 0) fields.push([action, data[0].fields]);
    }

    expect(fields).toEqual([
      ['webhook.changed', ['description']],
      ['event_type.put', ['description', 'schema']],
      ['event_type.put', ['description', 'schema']],
      ['template.put', ['name']],
      ['account.changed', ['name']],
      ['webhook.changed', ['enabled']],
      ['webhook.changed', ['enabled', 'profile_options', 'schedule']],
    ]);
  });

  // A source IP of 500,000 characters makes the audit entry larger than a row may be: DynamoDB rejects the whole transaction.
  it('when the audit entry cannot be written, each of 24 changes answers 500 and changes no row, and a second call succeeds', async () => {
    for (const [action, , perform] of await changes()) {
      const before = await allRows();

      const { status } = await perform({ sourceIp: '9'.repeat(500_000) });

      expect([action, status]).toEqual([action, 500]);
      expect(await allRows()).toEqual(before);
      expect((await perform({})).status).toBeLessThan(300);
    }
  });

  it('when the audit entry cannot be written, POST /accounts answers 500 and changes no row', async () => {
    const before = await allRows();

    const { status } = await call('POST', '/accounts', { name: 'New' }, { sourceIp: '9'.repeat(500_000) }, operator);

    expect(status).toBe(500);
    expect(await allRows()).toEqual(before);
  });

  it('when the audit entry cannot be written, DELETE /keys/{id} answers 500 but revokes the key; a second call answers 204 and writes the entry', async () => {
    const { id, key } = await create('/keys', { name: 'stolen', scopes: ['audit:read'] });
    const thief: Caller = { ...caller, key };

    const failed = await call('DELETE', `/keys/${id}`, undefined, { sourceIp: '9'.repeat(500_000) });
    const used = await call('GET', '/audit', undefined, {}, thief);
    const repeated = await call('DELETE', `/keys/${id}`);
    const again = await call('DELETE', `/keys/${id}`);

    expect([failed.status, used.status, repeated.status, again.status]).toEqual([500, 401, 204, 404]);
    expect((await actions()).filter(([action]) => action === 'key.revoked')).toEqual([['key.revoked', id]]);
  });

  it('lists one entry for a change that is sent twice, and none for a refused change or a recovery with dry_run', async () => {
    const webhook = await createWebhook();
    const event = await create('/events', { type: 'task.accepted', data: {} });
    const before = await actions();
    const withKey = { headers: { 'idempotency-key': 'a-1' } };
    const unknownId = 'whk_01KA8Z3M9Q4T7V2X5B8D1F6H0J';

    for (const _ of [1, 2]) await call('POST', `/webhooks/${webhook}/rotate-secret`, {}, withKey);
    for (const _ of [1, 2]) await call('POST', '/keys', { name: 'k', scopes: ['tasks:read'] }, withKey);
    for (const _ of [1, 2]) await call('POST', `/webhooks/${webhook}/test`, {}, withKey);
    for (const _ of [1, 2]) await call('DELETE', `/events/${event.id}/payload`);
    for (const _ of [1, 2]) await call('DELETE', `/webhooks/${webhook}`);
    await call('PATCH', `/webhooks/${unknownId}`, { description: 'x' });
    await call('POST', '/webhooks', { url: 'nowhere', events: ['*'] });
    await call('POST', '/keys', { name: 'k', scopes: ['admin'] });
    await call('DELETE', '/event-types/none');
    await call('DELETE', '/templates/none');
    await call('PATCH', `/accounts/${caller.accountId}`, { name: 'Mine' });
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

  it('lists no new entry after POST /events and POST /tasks', async () => {
    const before = await audit();

    await create('/events', { type: 'task.accepted', data: {} });
    await create('/tasks', {
      item: 'Pass',
      pickup: { city: 'Oslo', address: 'A' },
      dropoff: { city: 'Oslo', address: 'B' },
    });

    expect(await audit()).toEqual(before);
  });

  it('for an account that the operator has just created, lists one entry: account.created with the account id as the target', async () => {
    const created = await call('POST', '/accounts', { name: 'New' }, {}, operator);
    const newCaller: Caller = { accountId: created.json.id, owner: '', key: created.json.key };

    expect((await audit('', newCaller)).data).toMatchObject([{ action: 'account.created', target: created.json.id }]);
  });

  it("lists entries of both modes of the caller's account only, newest first, in pages, filtered by since and until; 403 without audit:read", async () => {
    const testCaller = await aCaller(tables, { accountId: caller.accountId, mode: 'test' });
    const other = await aCaller(tables);
    const unscoped = await aCaller(tables, { accountId: caller.accountId, scopes: ['keys:read'] });
    const begin = new Date().toISOString();
    for (const [sentBy, name] of [
      [caller, 'a'],
      [testCaller, 'b'],
      [caller, 'c'],
    ] as const) {
      await call('PUT', `/templates/${name}`, { name }, {}, sentBy);
    }

    const first = await audit('limit=2', testCaller);
    const second = await audit(`limit=2&cursor=${first.next_cursor}`);
    const sinceBegin = await audit(`since=${begin}`);

    expect(first.data.map(({ target }: Json) => target)).toEqual(['c', 'b']);
    expect(second.data[0].target).toBe('a');
    expect(sinceBegin).toMatchObject({ data: [{ target: 'c' }, { target: 'b' }, { target: 'a' }], next_cursor: null });
    expect((await audit(`until=${begin}`)).data.map(({ target }: Json) => target)).not.toContain('a');
    expect((await audit('', other)).data.map(({ target }: Json) => target)).not.toContain('a');
    expect((await call('GET', '/audit', undefined, {}, unscoped)).status).toBe(403);
    expect((await call('GET', '/audit', undefined, { query: 'since=yesterday' })).json.errors[0].path).toBe('since');
  });
});
