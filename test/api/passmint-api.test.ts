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

const minimalWebhook = { url: 'https://93.184.215.14/hook', events: ['pass.installed'] };
const START_MS = Date.parse('2026-11-20T10:00:00.000Z');
const statusAndHasNextAttempt = ({ status, next_attempt_at }: Json) => [status, next_attempt_at !== null];

describe('the passmint-api function', () => {
  const tables = useTables();
  const native = useApi(tables, 'webhooks-api');
  const passmint = useApi(tables, 'passmint-api', '/v1');
  let caller: Caller;
  beforeAll(() => putPublicKeys(tables.client, tables.credentialsTable, publicKeysOf(createKeyring())));
  beforeEach(async () => {
    caller = await aCaller(tables);
  });

  const call = (method: string, path: string, body?: unknown, headers: Readonly<Record<string, string>> = {}) =>
    passmint(method, `/webhooks${path}`, caller, { body, headers });
  const create = async (overrides: object = {}) => (await call('POST', '', { ...minimalWebhook, ...overrides })).json;

  describe('POST /v1/webhooks', () => {
    it('MT-1 answers 201 to only url and events with a whsec_ secret and default values, and accepts description and enabled', async () => {
      const minimal = await call('POST', '', minimalWebhook);
      const complete = await create({ description: 'front desk', enabled: false });

      const { id, secret, created_at, ...rest } = minimal.json;
      expect([minimal.status, minimal.headers.location]).toEqual([201, `/v1/webhooks/${id}`]);
      expect(rest).toEqual({ ...minimalWebhook, description: null, enabled: true, updated_at: created_at });
      expect(secret).toMatch(/^whsec_/);
      expect(complete).toMatchObject({ description: 'front desk', enabled: false });
    });

    it('MT-2 creates a webhook with events *, and GET /v1/webhooks/{id} shows events *', async () => {
      const { id } = await create({ events: ['*'] });

      expect((await call('GET', `/${id}`)).json.events).toEqual(['*']);
    });

    it('MT-3 returns the secret at creation, and GET, the list and PATCH do not show the secret afterwards', async () => {
      const { id, secret } = await create();

      const later = [await call('GET', `/${id}`), await call('GET', ''), await call('PATCH', `/${id}`, {})];

      for (const { text } of later) {
        expect(text).not.toContain(secret);
        expect(text).not.toContain('whsec_');
      }
    });

    it('repeats its first 201 answer without the secret for the same Idempotency-Key; the native API accepts the same Idempotency-Key for a new webhook, with 201 and a secret', async () => {
      const key = { 'idempotency-key': 'k-1' };
      const first = await call('POST', '', minimalWebhook, key);

      const second = await call('POST', '', minimalWebhook, key);
      const other = await native('POST', '/webhooks', caller, { body: minimalWebhook, headers: key });

      const { secret: _secret, ...shown } = first.json;
      expect([second.status, second.headers['idempotency-replayed']]).toEqual([201, 'true']);
      expect(second.json).toEqual(shown);
      expect([other.status, other.json.secret]).toEqual([201, expect.any(String)]);
    });

    it.each([
      ['MT reading 11: an unknown event', { events: ['pass.exploded'] }, 'events.0'],
      ['MT reading 11: an empty list of events', { events: [] }, 'events'],
      ['a missing url', { url: undefined }, 'url'],
      ['plain http to a public host', { url: 'http://93.184.215.14/hook' }, 'url'],
      ['a private host', { url: 'https://10.0.0.1/' }, 'url'],
      ['a field of the native API', { profile: 'passpost' }, 'profile'],
      ['enabled as a string', { enabled: 'yes' }, 'enabled'],
    ])('%s gets a 422 answer with the name of the field in error.param', async (_, overrides, param) => {
      const { status, json } = await call('POST', '', { ...minimalWebhook, ...overrides });

      expect(status).toBe(422);
      expect(json).toEqual({ error: { type: 'invalid_request_error', message: expect.any(String), param } });
    });

    it('names every wrong field of a new and of a changed webhook, also of a field that only the schema knows', async () => {
      const { id } = await create();
      const wrong = { url: 'http://93.184.215.14/hook', events: ['pass.exploded'], enabled: 'yes' };

      const answers = [await call('POST', '', wrong), await call('PATCH', `/${id}`, wrong)];

      expect(answers.map(({ json }) => json.error.message)).toEqual(Array(2).fill('Wrong: enabled, url, events.0.'));
    });

    it('MT reading 11: creates a webhook with one event type from a list that has this event type twice', async () => {
      expect((await create({ events: ['pass.voided', 'pass.voided'] })).events).toEqual(['pass.voided']);
    });
  });

  describe('GET and PATCH /v1/webhooks', () => {
    it('MT-9 GET lists only webhooks of the passmint profile, also a webhook from the native API, newest first in pages of 2', async () => {
      const createdIds: string[] = [];
      for (let i = 0; i < 5; i++) createdIds.unshift((await create()).id);
      await native('POST', '/webhooks', caller, { body: { ...minimalWebhook, events: ['task.accepted'] } });
      const own = await native('POST', '/webhooks', caller, { body: { ...minimalWebhook, profile: 'passmint' } });

      const listed: string[] = [];
      for (let query = 'limit=2'; ; ) {
        const { json } = await passmint('GET', '/webhooks', caller, { query });
        listed.push(...json.data.map(({ id }: Json) => id));
        if (json.next_cursor === null) break;
        query = `limit=2&cursor=${json.next_cursor}`;
      }

      expect(listed).toEqual([own.json.id, ...createdIds]);
    });

    it('MT-9 PATCH answers 200 and changes url, events, enabled and description; a PATCH of schedule gets an error with the param schedule', async () => {
      const { id, secret: _secret, ...before } = await create();
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

    it('GET /v1/webhooks/{id} shows a description from the native PATCH, and the native GET shows the webhook with the profile passmint', async () => {
      const { id } = await create();

      await native('PATCH', `/webhooks/${id}`, caller, { body: { description: 'native' } });

      expect((await native('GET', `/webhooks/${id}`, caller)).json).toMatchObject({
        profile: 'passmint',
        schedule: null,
      });
      expect((await call('GET', `/${id}`)).json.description).toBe('native');
    });

    it('GET, PATCH, DELETE, deliveries and rotate-secret answer 404 for a webhook of another account or profile and for a malformed id', async () => {
      const foreign = (await create()).id;
      caller = await aCaller(tables);
      const other = await native('POST', '/webhooks', caller, {
        body: { ...minimalWebhook, events: ['task.accepted'] },
      });

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
      expect((await native('GET', `/webhooks/${other.json.id}`, caller)).status).toBe(200);
    });
  });

  describe('GET /v1/webhooks/{id}/deliveries', () => {
    /** Stores a delivery that was created `index` seconds after START_MS. */
    const deliver = (webhookId: string, index: number, overrides: Parameters<typeof putDelivery>[2] = {}) => {
      const createdAtMs = START_MS + index * 1000;
      const identity = { owner: caller.owner, webhookId, eventId: drawId('evt', createdAtMs), createdAtMs };
      return putDelivery(tables, identity, { event_type: 'pass.installed', ...overrides });
    };
    const list = async (id: string, query = '') =>
      (await passmint('GET', `/webhooks/${id}/deliveries`, caller, { query })).json;

    it('MT-11 shows a failed delivery with its status, response body, times and number of attempts', async () => {
      const { id } = await create();
      const last: Attempt = anAttempt({ number: 2, started_at: START_MS + 30_000 });
      const failed = { status: 'failed', ticket: 3, attempts_made: 2, due_at: START_MS + 330_000, last } as const;
      const { id: deliveryId } = await deliver(id, 0, failed);

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

    it('MT-11 shows all 2,000 characters of a response body that is stored in the row of the attempt', async () => {
      const { id } = await create();
      const last = anAttempt({ response_body: null, has_body_row: true });
      const delivery = await deliver(id, 0, { status: 'dead', ticket: 2, attempts_made: 1, last });
      await putAttempt(tables, delivery.id, anAttempt({ response_body: 'x'.repeat(2000) }));

      expect((await list(id)).data[0].response_body).toHaveLength(2000);
    });

    it('MT-12, MT reading 9: shows pending, delivered, failed and dead; a held delivery is pending without an attempt and failed after an attempt', async () => {
      const { id } = await create();
      const refusedOnce = { ticket: 2, attempts_made: 1, last: anAttempt() };
      await deliver(id, 0);
      await deliver(id, 1, { ...refusedOnce, status: 'delivered', settled_at: START_MS });
      await deliver(id, 2, { ...refusedOnce, status: 'failed' });
      await deliver(id, 3, { ...refusedOnce, status: 'dead', settled_at: START_MS });
      await deliver(id, 4, { ...refusedOnce, status: 'held' });
      await deliver(id, 5, { ticket: 2, status: 'held' });

      expect((await list(id)).data.map(statusAndHasNextAttempt)).toEqual([
        ['pending', false],
        ['failed', false],
        ['dead', false],
        ['failed', true],
        ['delivered', false],
        ['pending', true],
      ]);
    });

    it('shows a delivered delivery that is redelivered as delivered, with its next attempt, or without one while it is held', async () => {
      const { id } = await create();
      const delivered = { ticket: 3, attempts_made: 1, last: anAttempt(), status: 'delivered' } as const;
      await deliver(id, 0, { ...delivered, settled_at: START_MS, redelivery: 'waiting' });
      await deliver(id, 1, { ...delivered, settled_at: START_MS, redelivery: 'held' });

      expect((await list(id)).data.map(statusAndHasNextAttempt)).toEqual([
        ['delivered', false],
        ['delivered', true],
      ]);
    });

    it('MT reading 12: lists five deliveries newest first in pages of 3, each exactly once', async () => {
      const { id } = await create();
      const createdIds: string[] = [];
      for (let i = 0; i < 5; i++) createdIds.unshift((await deliver(id, i)).id);

      const first = await list(id, 'limit=3');
      const second = await list(id, `limit=3&cursor=${first.next_cursor}`);

      expect([...first.data, ...second.data].map((delivery: Json) => delivery.id)).toEqual(createdIds);
      expect(second.next_cursor).toBeNull();
      expect((await list(id, 'limit=0')).error.param).toBe('limit');
    });
  });

  it('MT reading 10: POST /v1/webhooks/{id}/rotate-secret answers 200 with a new secret and previous_expires_at', async () => {
    const { id, secret } = await create();

    const { status, json } = await call('POST', `/${id}/rotate-secret`, { overlap_seconds: 60 });

    expect(status).toBe(200);
    expect(json).toEqual({ secret: expect.stringMatching(/^whsec_/), previous_expires_at: expect.any(String) });
    expect(json.secret).not.toBe(secret);
  });

  it("answers 400, 401, 403, 404, 405, 413, 415 and 429 in PassMint's format: an error object with the right type", async () => {
    const { id } = await create();
    const unknownKey = { ...caller, key: 'pp_live_00000000000000000000' };
    const reader = await aCaller(tables, { accountId: caller.accountId, scopes: ['webhooks:read'] });
    const body = JSON.stringify(minimalWebhook);
    const answers = [
      [401, 'authentication_error', await passmint('GET', '/webhooks', unknownKey)],
      [403, 'permission_error', await passmint('POST', '/webhooks', reader, { body })],
      [404, 'invalid_request_error', await passmint('GET', '/webhooks/a/b/c', unknownKey)],
      [405, 'invalid_request_error', await passmint('PUT', `/webhooks/${id}`, unknownKey)],
      [400, 'invalid_request_error', await call('POST', '', '{')],
      [413, 'invalid_request_error', await call('POST', '', 'x'.repeat(300_000))],
      [415, 'invalid_request_error', await call('POST', '', body, { 'content-type': 'text/plain' })],
    ] as const;

    for (const [status, type, answer] of answers) {
      expect(answer.status).toBe(status);
      expect(answer.json).toEqual({ error: { type, message: expect.any(String), param: null } });
      expect(answer.headers['x-request-id']).toBeDefined();
    }
    expect(answers[3][2].headers.allow).toBe('GET, HEAD, PATCH, DELETE');

    const limited = await seedAccount(tables, { limit: 1 });
    const busy = { accountId: limited.accountId, owner: '', key: limited.key };
    await passmint('GET', '/webhooks', busy);
    const { status, headers, json } = await passmint('GET', '/webhooks', busy);
    expect([status, json.error.type, Number(headers['retry-after']) > 0]).toEqual([429, 'rate_limit_error', true]);
  });
});
