import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { putPublicKeys } from '../../lambdas/adapters/keyring/public-keys.ts';
import type { Attempt } from '../../lambdas/domain/deliveries/delivery.ts';
import { drawId } from '../../lambdas/domain/foundation/id.ts';
import { createKeyring, publicKeysOf } from '../../lambdas/domain/keyring/keyring.ts';
import type { Json } from '../helpers/api-call.ts';
import { aCaller, type Caller, useApi } from '../helpers/api-caller.ts';
import { anAttempt, putAttempt, putDelivery } from '../helpers/events-api.ts';
import { seedAccount } from '../helpers/seeded-keys.ts';
import { useTables } from '../helpers/tables.ts';

const plain = { url: 'https://93.184.215.14/hook', events: ['pass.installed'] };
const START_MS = Date.parse('2026-11-20T10:00:00.000Z');

describe('the passmint-api function', () => {
  const tables = useTables();
  const native = useApi(tables, 'webhooks-api');
  const passmint = useApi(tables, 'passmint-api', '/v1');
  let me: Caller;
  beforeAll(() => putPublicKeys(tables.client, tables.deliveryTable, publicKeysOf(createKeyring())));
  beforeEach(async () => {
    me = await aCaller(tables);
  });

  const call = (method: string, path: string, body?: unknown, headers: Readonly<Record<string, string>> = {}) =>
    passmint(method, `/webhooks${path}`, me, { body, headers });
  const create = async (over: object = {}) => (await call('POST', '', { ...plain, ...over })).json;

  describe('POST /v1/webhooks', () => {
    it('MT-1 takes url and events, description and enabled being optional', async () => {
      const least = await call('POST', '', plain);
      const most = await create({ description: 'front desk', enabled: false });

      const { id, secret, created_at, ...rest } = least.json;
      expect([least.status, least.headers.location]).toEqual([201, `/v1/webhooks/${id}`]);
      expect(rest).toEqual({ ...plain, description: null, enabled: true, updated_at: created_at });
      expect(secret).toMatch(/^whsec_/);
      expect(most).toMatchObject({ description: 'front desk', enabled: false });
    });

    it('MT-2 takes the star for all', async () => {
      const { id } = await create({ events: ['*'] });

      expect((await call('GET', `/${id}`)).json.events).toEqual(['*']);
    });

    it('MT-3 shows the secret at creation and never after', async () => {
      const { id, secret } = await create();

      const later = [await call('GET', `/${id}`), await call('GET', ''), await call('PATCH', `/${id}`, {})];

      for (const { text } of later) {
        expect(text).not.toContain(secret);
        expect(text).not.toContain('whsec_');
      }
    });

    it('gives a repeat the first answer without the secret, apart from the native path', async () => {
      const key = { 'idempotency-key': 'k-1' };
      const first = await call('POST', '', plain, key);

      const second = await call('POST', '', plain, key);
      const other = await native('POST', '/webhooks', me, { body: plain, headers: key });

      const { secret: _once, ...shown } = first.json;
      expect([second.status, second.headers['idempotency-replayed']]).toEqual([201, 'true']);
      expect(second.json).toEqual(shown);
      expect([other.status, other.json.secret]).toEqual([201, expect.any(String)]);
    });

    it.each([
      ['MT reading 11: an unknown event', { events: ['pass.exploded'] }, 'events.0'],
      ['MT reading 11: no event', { events: [] }, 'events'],
      ['a missing url', { url: undefined }, 'url'],
      ['plain http beyond this machine', { url: 'http://93.184.215.14/hook' }, 'url'],
      ['a private host', { url: 'https://10.0.0.1/' }, 'url'],
      ['a field of the native API', { profile: 'passpost' }, 'profile'],
      ['a wrong type', { enabled: 'yes' }, 'enabled'],
    ])('refuses %s, naming it', async (_, over, param) => {
      const { status, json } = await call('POST', '', { ...plain, ...over });

      expect(status).toBe(422);
      expect(json).toEqual({ error: { type: 'invalid_request_error', message: expect.any(String), param } });
    });

    it('MT reading 11: doubles collapse', async () => {
      expect((await create({ events: ['pass.voided', 'pass.voided'] })).events).toEqual(['pass.voided']);
    });
  });

  describe('GET and PATCH /v1/webhooks', () => {
    it('MT-9 lists by pages, newest first, and only webhooks of its profile', async () => {
      const made: string[] = [];
      for (let i = 0; i < 5; i++) made.unshift((await create()).id);
      await native('POST', '/webhooks', me, { body: { ...plain, events: ['task.accepted'] } });
      const own = await native('POST', '/webhooks', me, { body: { ...plain, profile: 'passmint' } });

      const seen: string[] = [];
      for (let query = 'limit=2'; ; ) {
        const { json } = await passmint('GET', '/webhooks', me, { query });
        seen.push(...json.data.map(({ id }: Json) => id));
        if (json.next_cursor === null) break;
        query = `limit=2&cursor=${json.next_cursor}`;
      }

      expect(seen).toEqual([own.json.id, ...made]);
    });

    it('MT-9 changes url, events, enabled and description', async () => {
      const { id, secret: _once, ...before } = await create();
      const changes = {
        url: 'https://93.184.215.14/other',
        events: ['pass.created', 'pass.removed'],
        enabled: false,
        description: 'moved',
      };

      const { status, json } = await call('PATCH', `/${id}`, changes);

      expect(status).toBe(200);
      expect(json).toEqual({ ...before, id, ...changes, updated_at: json.updated_at });
      expect((await call('GET', `/${id}`)).json).toEqual(json);
      expect((await call('PATCH', `/${id}`, { schedule: [] })).json.error.param).toBe('schedule');
    });

    it('is one and the same webhook in the native API', async () => {
      const { id } = await create();

      await native('PATCH', `/webhooks/${id}`, me, { body: { description: 'native' } });

      expect((await native('GET', `/webhooks/${id}`, me)).json).toMatchObject({ profile: 'passmint', schedule: null });
      expect((await call('GET', `/${id}`)).json.description).toBe('native');
    });

    it('answers 404 to what is foreign, of another profile, or no id', async () => {
      const foreign = (await create()).id;
      me = await aCaller(tables);
      const other = await native('POST', '/webhooks', me, { body: { ...plain, events: ['task.accepted'] } });

      for (const id of [foreign, other.json.id, 'whk_1']) {
        const answers = [
          await call('GET', `/${id}`),
          await call('PATCH', `/${id}`, { enabled: false }),
          await call('DELETE', `/${id}`),
          await call('GET', `/${id}/deliveries`),
          await call('POST', `/${id}/rotate-secret`, {}),
        ];
        expect(answers.map(({ status }) => status)).toEqual([404, 404, 404, 404, 404]);
        for (const { json } of answers) expect(json.error).toMatchObject({ type: 'invalid_request_error' });
      }
      expect((await native('GET', `/webhooks/${other.json.id}`, me)).status).toBe(200);
    });
  });

  describe('GET /v1/webhooks/{id}/deliveries', () => {
    const deliver = (webhookId: string, index: number, over: Parameters<typeof putDelivery>[2] = {}) => {
      const createdAtMs = START_MS + index * 1000;
      const of = { owner: me.owner, webhookId, eventId: drawId('evt', createdAtMs), createdAtMs };
      return putDelivery(tables, of, { event_type: 'pass.installed', ...over });
    };
    const list = async (id: string, query = '') =>
      (await passmint('GET', `/webhooks/${id}/deliveries`, me, { query })).json;

    it('MT-11 shows status, body and times, attempts as a number', async () => {
      const { id } = await create();
      const last: Attempt = anAttempt({ number: 2, started_at: START_MS + 30_000 });
      const over = { status: 'failed', ticket: 3, attempts_made: 2, due_at: START_MS + 330_000, last } as const;
      const { id: deliveryId } = await deliver(id, 0, over);

      expect(await list(id)).toEqual({
        data: [
          {
            id: deliveryId,
            type: 'pass.installed',
            status: 'failed',
            http_status: 503,
            response_body: 'busy',
            created_at: '2026-11-20T10:00:00.000Z',
            attempted_at: '2026-11-20T10:00:30.000Z',
            next_attempt_at: '2026-11-20T10:05:30.000Z',
            attempts: 2,
          },
        ],
        next_cursor: null,
      });
    });

    it('MT-11 has a long answer whole, from its own row', async () => {
      const { id } = await create();
      const last = anAttempt({ response_body: null, has_body_row: true });
      const made = await deliver(id, 0, { status: 'dead', ticket: 2, attempts_made: 1, last });
      await putAttempt(tables, made.id, anAttempt({ response_body: 'x'.repeat(2000) }));

      expect((await list(id)).data[0].response_body).toHaveLength(2000);
    });

    it('MT-12, MT reading 9: knows four statuses; what is held is pending or failed', async () => {
      const { id } = await create();
      const tried = { ticket: 2, attempts_made: 1, last: anAttempt() };
      await deliver(id, 0);
      await deliver(id, 1, { ...tried, status: 'delivered', settled_at: START_MS });
      await deliver(id, 2, { ...tried, status: 'failed' });
      await deliver(id, 3, { ...tried, status: 'dead', settled_at: START_MS });
      await deliver(id, 4, { ...tried, status: 'held' });
      await deliver(id, 5, { ticket: 2, status: 'held' });

      const { data } = await list(id);

      const shown = data.map(({ status, next_attempt_at }: Json) => [status, next_attempt_at !== null]);
      expect(shown).toEqual([
        ['pending', false],
        ['failed', false],
        ['dead', false],
        ['failed', true],
        ['delivered', false],
        ['pending', true],
      ]);
    });

    it('MT reading 12: comes in pages', async () => {
      const { id } = await create();
      const made: string[] = [];
      for (let i = 0; i < 5; i++) made.unshift((await deliver(id, i)).id);

      const first = await list(id, 'limit=3');
      const second = await list(id, `limit=3&cursor=${first.next_cursor}`);

      expect([...first.data, ...second.data].map((delivery: Json) => delivery.id)).toEqual(made);
      expect(second.next_cursor).toBeNull();
      expect((await list(id, 'limit=0')).error.param).toBe('limit');
    });
  });

  it('MT reading 10: rotates the secret as the native API does', async () => {
    const { id, secret } = await create();

    const { status, json } = await call('POST', `/${id}/rotate-secret`, { overlap_seconds: 60 });

    expect(status).toBe(200);
    expect(json).toEqual({ secret: expect.stringMatching(/^whsec_/), previous_expires_at: expect.any(String) });
    expect(json.secret).not.toBe(secret);
  });

  it('has its own shape for every error', async () => {
    const { id } = await create();
    const none = { ...me, key: 'pp_live_00000000000000000000' };
    const reader = await aCaller(tables, { accountId: me.accountId, scopes: ['webhooks:read'] });
    const body = JSON.stringify(plain);
    const answers = [
      [401, 'authentication_error', await passmint('GET', '/webhooks', none)],
      [403, 'permission_error', await passmint('POST', '/webhooks', reader, { body })],
      [404, 'invalid_request_error', await passmint('GET', '/webhooks/a/b/c', none)],
      [405, 'invalid_request_error', await passmint('PUT', `/webhooks/${id}`, none)],
      [400, 'invalid_request_error', await call('POST', '', '{')],
      [413, 'invalid_request_error', await call('POST', '', 'x'.repeat(300_000))],
      [415, 'invalid_request_error', await call('POST', '', body, { 'content-type': 'text/plain' })],
    ] as const;

    for (const [status, type, answer] of answers) {
      expect(answer.status).toBe(status);
      expect(answer.json).toEqual({ error: { type, message: expect.any(String), param: null } });
      expect(answer.headers['x-request-id']).toBeDefined();
    }
    expect(answers[3][2].headers.allow).toBe('GET, PATCH, DELETE');

    const limited = await seedAccount(tables, { limit: 1 });
    const busy = { accountId: limited.accountId, owner: '', key: limited.key };
    await passmint('GET', '/webhooks', busy);
    const { status, headers, json } = await passmint('GET', '/webhooks', busy);
    expect([status, json.error.type, Number(headers['retry-after']) > 0]).toEqual([429, 'rate_limit_error', true]);
  });
});
