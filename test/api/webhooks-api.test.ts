import { compactDecrypt } from 'jose/jwe/compact/decrypt';
import { describe, expect, it } from 'vitest';
import { createFanOutStore } from '../../lambdas/adapters/fan-out/fan-out-store.ts';
import { webhookCountKey, webhookKey } from '../../lambdas/adapters/rows/table-keys.ts';
import { aCaller } from '../helpers/api-caller.ts';
import { useTables } from '../helpers/tables.ts';
import { anEvent } from '../helpers/virtual-engine.ts';
import { minimalWebhook, useWebhooksApi } from '../helpers/webhooks-api.ts';

describe('the webhooks-api function', () => {
  const tables = useTables();
  const webhooksApi = useWebhooksApi(tables);
  const { api, keyring, current, post, create, patch, get, remove, rowAt, rows } = webhooksApi;
  const { routesOf, webhookCount, setAttribute } = webhooksApi;

  const open = async (sealed: unknown) => {
    const opened = await compactDecrypt(String(sealed), { ...keyring.sealing[0]?.jwk });
    return { text: Buffer.from(opened.plaintext).toString(), header: opened.protectedHeader };
  };

  describe('POST /webhooks', () => {
    it('answers 201 with the webhook, its default values and its secret', async () => {
      const { status, headers, json: body } = await post(minimalWebhook);

      const { id, secret, created_at, ...rest } = body;
      expect(status).toBe(201);
      expect(headers.location).toBe(`/api/public/v1/webhooks/${id}`);
      expect(secret).toMatch(/^whsec_/);
      expect(rest).toEqual({
        ...minimalWebhook,
        status: 'enabled',
        disabled_reason: null,
        resource: null,
        description: null,
        enabled: true,
        profile: 'passpost',
        profile_options: {},
        schedule: null,
        timeout_seconds: 10,
        basic_auth: null,
        headers: {},
        api_version: '2026-11-01',
        allow_http: false,
        max_per_second: null,
        max_in_flight: null,
        auto_disable_after_hours: null,
        owner: null,
        public_key: null,
        updated_at: created_at,
      });
    });

    it('writes the webhook row, a route for each event type of events * and task.created, and the webhook count 1', async () => {
      const { id } = await create({ events: ['*', 'task.created', 'task.created'], resource: 'hotel-1' });

      expect(await rowAt(webhookKey(current.caller.owner, id))).toMatchObject({
        kind: 'webhook',
        version: 1,
        events: ['*', 'task.created'],
      });
      for (const type of ['task.created', 'task.accepted', 'task.cancelled']) {
        expect(await routesOf(type)).toEqual([`${id}|hotel-1`]);
      }
      expect(await routesOf('*')).toEqual([]);
      expect(await webhookCount()).toBe(1);
    });

    it('writes routes by which the fan-out store finds a webhook that names pass.voided and a standard webhook with events *', async () => {
      const { owner } = current.caller;
      const all = await create({ events: ['*'], profile: 'standard' });
      const named = await create({ events: ['pass.voided'], resource: 'a|b' });
      const names = { domain: tables.domainTable, delivery: tables.deliveryTable };
      const fanOut = createFanOutStore(tables.client, names, 30, () => false);

      const [subscribers] = await fanOut.subscribers([anEvent({ owner, type: 'pass.voided' })]);

      expect(subscribers).toEqual([
        { webhookId: named.id, resource: 'a|b', customer: null },
        { webhookId: all.id, resource: null, customer: null },
      ]);
    });

    it('writes the route * and the route webhook.disabled for a standard webhook with events * and webhook.disabled', async () => {
      const { id } = await create({ events: ['*', 'webhook.disabled'], profile: 'standard' });

      expect(await routesOf('*')).toEqual([`${id}|`]);
      expect(await routesOf('webhook.disabled')).toEqual([`${id}|`]);
    });

    it('stores secret, password and header values only sealed, and the sealed secret names the account and the webhook', async () => {
      const { id, secret } = await create({
        basic_auth: { username: 'hotel', password: 'pass-word-1' },
        headers: { 'X-Api-Key': 'value-of-it' },
      });

      const row = (await rowAt(webhookKey(current.caller.owner, id))) ?? {};
      const text = JSON.stringify(await rows(), (_, value) => (value instanceof Set ? [...value] : value));
      for (const clear of [secret, 'pass-word-1', 'value-of-it']) expect(text).not.toContain(clear);
      expect(await open(row.secrets[0].sealed)).toMatchObject({
        text: secret,
        header: { acc: current.caller.owner, whk: id },
      });
      expect((await open(row.basic_auth.sealed)).text).toBe('pass-word-1');
      expect((await open(row.headers.sealed)).text).toBe('{"x-api-key":"value-of-it"}');
    });

    it('afterwards, GET, the list and PATCH show stars for password and header values, and no secret', async () => {
      const { id } = await create({
        basic_auth: { username: 'hotel', password: 'pass-word-1' },
        headers: { 'X-Api-Key': 'value-of-it' },
        secret: 'my-own-secret',
      });

      const shown = { basic_auth: { username: 'hotel', password: '***' }, headers: { 'X-Api-Key': '***' } };
      const { json: read } = await get(id);
      const { json: list } = await api('GET', '/webhooks', current.caller);
      const { json: changed } = await patch(id, { description: 'x' });
      for (const body of [read, list.data[0], changed]) {
        expect(body).toMatchObject(shown);
        expect(body).not.toHaveProperty('secret');
      }
    });

    it('returns a given secret that has the format of its profile, and answers 422 without the secret to another format', async () => {
      const own = `whsec_${Buffer.alloc(24, 7).toString('base64')}`;

      expect((await post({ ...minimalWebhook, secret: 'my-own-secret' })).json.secret).toBe('my-own-secret');
      expect((await post({ ...minimalWebhook, profile: 'standard', secret: own })).json.secret).toBe(own);
      const refused = await post({ ...minimalWebhook, profile: 'standard', secret: 'my-own-secret' });
      expect(refused).toMatchObject({ status: 422, json: { errors: [{ path: 'secret' }, { path: 'secret' }] } });
      expect(JSON.stringify(refused.json)).not.toContain('my-own-secret');
    });

    it('creates a passpost webhook with the schedule standard and enabled false, which is disabled with the reason manual', async () => {
      const body = await create({ schedule: 'standard', enabled: false });

      expect(body).toMatchObject({ schedule: 'standard', status: 'disabled', disabled_reason: 'manual' });
    });

    it('repeats its first 201 answer without the secret for the same Idempotency-Key, also after PATCH has changed the webhook', async () => {
      const first = await post(minimalWebhook, { 'idempotency-key': 'k1' });
      await patch(first.json.id, { description: 'changed since' });

      const again = await post({ events: minimalWebhook.events, url: minimalWebhook.url }, { 'idempotency-key': 'k1' });

      const { secret, ...answer } = first.json;
      expect(again).toMatchObject({ status: 201, headers: { 'idempotency-replayed': 'true' } });
      expect(again.json).toEqual(answer);
      expect(await webhookCount()).toBe(1);
    });

    it('answers 422 to another body with the same Idempotency-Key, and the webhook count stays 1', async () => {
      await post(minimalWebhook, { 'idempotency-key': 'k1' });

      const other = await post({ ...minimalWebhook, description: 'other' }, { 'idempotency-key': 'k1' });

      expect(other).toMatchObject({ status: 422, json: { type: '/problems/idempotency_mismatch' } });
      expect(await webhookCount()).toBe(1);
    });

    it('answers 201 to six simultaneous calls with one Idempotency-Key, creates one webhook, and only one answer has the secret', async () => {
      const answers = await Promise.all(
        Array.from({ length: 6 }, () => post(minimalWebhook, { 'idempotency-key': 'k1' })),
      );

      expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 201));
      expect(new Set(answers.map(({ json }) => json.id)).size).toBe(1);
      expect(answers.filter(({ json }) => json.secret)).toHaveLength(1);
      expect(await webhookCount()).toBe(1);
    });

    it('answers 201 to five simultaneous calls, and then the webhook count is 5 and the routing row has five webhooks', async () => {
      const answers = await Promise.all(Array.from({ length: 5 }, () => post(minimalWebhook)));

      expect(answers.map(({ status }) => status)).toEqual([201, 201, 201, 201, 201]);
      expect(await webhookCount()).toBe(5);
      expect(await routesOf('task.accepted')).toHaveLength(5);
    });

    it('answers 201 to the 1,000th webhook of an account in one mode and 409 to the next; after a DELETE, 201 again', async () => {
      await post(minimalWebhook, { 'idempotency-key': 'before' });
      await setAttribute(webhookCountKey(current.caller.owner), 'n', 999);

      const last = await post(minimalWebhook);
      const refused = await post(minimalWebhook);

      expect(last.status).toBe(201);
      expect(refused).toMatchObject({ status: 409, json: { detail: expect.stringContaining('1000') } });
      expect((await post(minimalWebhook, { 'idempotency-key': 'before' })).status).toBe(201);
      await remove(last.json.id);
      expect((await post(minimalWebhook)).status).toBe(201);
    });
  });

  describe('GET /webhooks', () => {
    it('lists webhooks newest first in pages of 2, without deleted webhooks and without a webhook created after the first page', async () => {
      const ids: string[] = [];
      for (let i = 0; i < 7; i++) ids.push((await create()).id);
      await remove(ids[2] ?? '');
      await remove(ids[6] ?? '');

      const listed: string[] = [];
      const sizes: number[] = [];
      for (let cursor = ''; ; ) {
        const { json: body } = await api('GET', '/webhooks', current.caller, { query: `limit=2${cursor}` });
        listed.push(...body.data.map(({ id }: { id: string }) => id));
        sizes.push(body.data.length);
        if (body.next_cursor === null) break;
        cursor = `&cursor=${body.next_cursor}`;
        if (listed.length === 2) ids.push((await create()).id);
      }

      expect(listed).toEqual([5, 4, 3, 1, 0].map((index) => ids[index]));
      expect(sizes).toEqual([2, 2, 1]);
    });

    it.each(['limit=0', 'limit=101', 'limit=x', 'cursor=x', 'colour=1', 'limit=1&limit=2'])(
      'answers 422 and names the wrong parameter for the query %s',
      async (query) => {
        const { status, json: body } = await api('GET', '/webhooks', current.caller, { query });

        expect(status).toBe(422);
        expect(body.errors[0].path).toBe(query.split('=')[0]);
      },
    );

    it('for a key of another account or mode, lists no webhook, and GET, PATCH and DELETE /webhooks/{id} answer 404', async () => {
      const { id } = await create();
      const [accountId = ''] = current.caller.owner.split('#');
      const others = [await aCaller(tables), await aCaller(tables, { accountId, mode: 'test' })];

      for (const other of others) {
        expect((await api('GET', '/webhooks', other)).json).toEqual({ data: [], next_cursor: null });
        expect((await api('GET', `/webhooks/${id}`, other)).status).toBe(404);
        expect((await api('PATCH', `/webhooks/${id}`, other, { body: { enabled: false } })).status).toBe(404);
        expect((await api('DELETE', `/webhooks/${id}`, other)).status).toBe(404);
      }
      expect((await get(id)).json.enabled).toBe(true);
    });

    it.each([
      ['a malformed id', 'whk_1'],
      ['the key of the webhook count', 'webhook-count'],
      ['the key of a command', 'cmd%23x'],
      ['the id of a task', 'tsk_01JDB6Q80000000000000000AA'],
      ['an encoded NUL character', '%00'],
    ])('GET and DELETE /webhooks/{id} answer 404 when the id is %s', async (_, id) => {
      await create();

      expect((await get(id)).status).toBe(404);
      expect((await remove(id)).status).toBe(404);
    });

    it('GET /webhooks answers 403 to a key with only webhooks:write; POST /webhooks answers 403 to a key with only webhooks:read', async () => {
      const reader = await aCaller(tables, { scopes: ['webhooks:read'] });
      const writer = await aCaller(tables, { scopes: ['webhooks:write'] });

      expect((await api('POST', '/webhooks', reader, { body: minimalWebhook })).status).toBe(403);
      expect((await api('GET', '/webhooks', writer)).status).toBe(403);
    });
  });
});
