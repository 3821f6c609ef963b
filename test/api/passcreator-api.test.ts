import { createPublicKey } from 'node:crypto';
import { compactDecrypt } from 'jose/jwe/compact/decrypt';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createTemplatesTable } from '../../lambdas/adapters/events/templates-table.ts';
import { putPublicKeys } from '../../lambdas/adapters/keyring/public-keys.ts';
import { auditEntry } from '../../lambdas/domain/foundation/audit.ts';
import { createKeyring, publicKeysOf } from '../../lambdas/domain/keyring/keyring.ts';
import type { Json } from '../helpers/api-call.ts';
import { aCaller, type Caller, rowsHolding, useApi } from '../helpers/api-caller.ts';
import { seedAccount } from '../helpers/seeded-keys.ts';
import { useTables } from '../helpers/tables.ts';

const URL_A = 'https://93.184.215.14/webhook/receiver';
const minimalSubscription = { target_url: URL_A, event: 'pass_created' };
const TEMPLATE = 'f4379715-7a69-1742-38ae-836554724306';

describe('the passcreator-api function', () => {
  const tables = useTables();
  const keyring = createKeyring();
  const native = useApi(tables, 'webhooks-api');
  const passcreator = useApi(tables, 'passcreator-api', '/api/hook');
  let caller: Caller;
  beforeAll(() => putPublicKeys(tables.client, tables.credentialsTable, publicKeysOf(keyring)));
  beforeEach(async () => {
    caller = await aCaller(tables);
  });

  /** Sends the raw API key, without a scheme word such as Bearer. */
  const call = (
    method: string,
    path: string,
    { sentBy = caller, body, query = '' }: { sentBy?: Caller; body?: unknown; query?: string } = {},
  ) => passcreator(method, path, sentBy, { body, query, headers: { authorization: sentBy.key } });
  const subscribe = (overrides: object = {}, { template = '', query = '' } = {}) =>
    call('POST', `/subscribe${template}`, { body: { ...minimalSubscription, ...overrides }, query });
  const list = async () => (await call('GET', '/list')).json;
  const webhooks = async (): Promise<Json[]> => (await native('GET', '/webhooks', caller)).json.data;
  const putTemplate = (id = TEMPLATE) => {
    const now = new Date().toISOString();
    const template = {
      id,
      owner: caller.owner,
      name: 'Key card',
      version: 1,
      written_by: 'PUT',
      created_at: now,
      updated_at: now,
    };
    const entry = auditEntry({ ...caller, keyId: '', ip: '' }, 'template.put', id, Date.now());
    return createTemplatesTable(tables.client, tables.domainTable).put(template, null, entry);
  };

  it('PC-1 GET /api/hook/list answers 200 to the raw API key in Authorization, and 401 to the same API key after the word Bearer', async () => {
    const raw = await call('GET', '/list');
    const withScheme = await passcreator('GET', '/list', caller);

    expect([raw.status, raw.json]).toEqual([200, []]);
    expect([withScheme.status, Object.keys(withScheme.json)]).toEqual([401, ['ErrorMessage']]);
    expect(withScheme.headers).not.toHaveProperty('www-authenticate');
  });

  describe('POST /api/hook/subscribe', () => {
    it('PC-2, PC-3 answers 201 with an empty object and creates a passcreator webhook, which by default neither retries nor signs', async () => {
      const { status, json } = await subscribe();

      expect([status, json]).toEqual([201, {}]);
      expect(await webhooks()).toMatchObject([
        {
          profile: 'passcreator',
          url: URL_A,
          events: ['pass_created'],
          resource: null,
          schedule: [],
          profile_options: { signPayload: false, subscription_url: null },
        },
      ]);
    });

    it("PC reading 3: with retryEnabled, the webhook has schedule null, which means PassPost's waits; signPayload and subscription_url are stored", async () => {
      await subscribe({ retryEnabled: true, signPayload: true, subscription_url: 'https://example.com/s/1' });

      expect(await webhooks()).toMatchObject([
        { schedule: null, profile_options: { signPayload: true, subscription_url: 'https://example.com/s/1' } },
      ]);
    });

    it('PC-3, PC reading 10: with generateAccessToken=true, returns an access token and stores the token as a sealed Authorization header', async () => {
      const { status, json } = await subscribe({}, { query: 'generateAccessToken=true' });

      const [webhook] = await webhooks();
      const rows: Json[] = await rowsHolding(tables, tables.domainTable, caller.owner);
      const { sealed } = rows.find(({ kind }) => kind === 'webhook').headers;
      const { plaintext } = await compactDecrypt(sealed, { ...keyring.sealing[0]?.jwk });
      expect([status, json]).toEqual([201, { accessToken: expect.stringMatching(/^[\w-]{43}$/) }]);
      expect(webhook.headers).toEqual({ authorization: '***' });
      expect(JSON.parse(Buffer.from(plaintext).toString())).toEqual({ authorization: `Bearer ${json.accessToken}` });
    });

    it('PC-2, PC-4, PC reading 11: answers 201 for a template of the account, and 404 for an unknown template or a template of another account', async () => {
      await putTemplate();

      const known = await subscribe({}, { template: `/${TEMPLATE}` });
      const unknown = await subscribe({}, { template: '/another' });
      const impossible = await subscribe({}, { template: `/${'x'.repeat(2000)}` });
      caller = await aCaller(tables);
      const foreign = await subscribe({}, { template: `/${TEMPLATE}` });

      expect([known.status, known.json]).toEqual([201, {}]);
      for (const { status, json } of [unknown, impossible, foreign]) {
        expect([status, json]).toEqual([404, { ErrorMessage: 'No such template.' }]);
      }
      expect(await list()).toEqual([]);
    });

    it('PC reading 7: answers 201 to a repeated subscription and changes its webhook; another event, template or URL creates a new webhook', async () => {
      await putTemplate();
      await subscribe({ retryEnabled: true });
      const { accessToken } = (await subscribe({}, { query: 'generateAccessToken=true' })).json;
      await native('PATCH', `/webhooks/${(await webhooks())[0].id}`, caller, { body: { enabled: false } });

      const again = await subscribe({ signPayload: true });

      expect([again.status, again.json]).toEqual([201, {}]);
      expect(accessToken).toBeDefined();
      expect(await webhooks()).toMatchObject([
        { schedule: [], enabled: true, profile_options: { signPayload: true }, headers: { authorization: '***' } },
      ]);

      await subscribe({ event: 'pass_template_updated' });
      await subscribe({}, { template: `/${TEMPLATE}` });
      await subscribe({ target_url: `${URL_A}/2` });

      expect(await webhooks()).toHaveLength(4);
    });

    it('PC reading 7: answers 201 to three simultaneous equal subscriptions, and creates one webhook', async () => {
      const answers = await Promise.all([1, 2, 3].map(() => subscribe()));

      expect(answers.map(({ status }) => status)).toEqual([201, 201, 201]);
      expect(await webhooks()).toHaveLength(1);
    });

    it.each([
      ['an unknown event', { event: 'pass_exploded' }, 'event'],
      ['the event *', { event: '*' }, 'event'],
      ['a missing event', { event: undefined }, 'event'],
      ['a missing target_url', { target_url: undefined }, 'target_url'],
      ['PC-9 a target_url that is not public', { target_url: 'https://10.0.0.1/' }, 'target_url'],
      ['plain http to a public host', { target_url: 'http://93.184.215.14/' }, 'target_url'],
      ['a flag that is a string', { signPayload: 'yes' }, 'signPayload'],
      ['an unknown field', { colour: 'red' }, 'colour'],
    ])('PC-4 %s: answers 400 with an ErrorMessage that names the field', async (_, overrides, field) => {
      const { status, json } = await subscribe(overrides);

      expect(status).toBe(400);
      expect(json).toEqual({ ErrorMessage: expect.stringContaining(`${field}: `) });
    });
  });

  describe('POST and DELETE /api/hook/unsubscribe', () => {
    it('find the subscription of a URL whose path is stored percent-encoded by the URL as it was written', async () => {
      const target_url = `${URL_A}/ø/{id}`;
      await subscribe({ target_url });
      await subscribe({ target_url, signPayload: true });

      const urls = (await webhooks()).map(({ url }) => url);
      await call('POST', '/unsubscribe', { body: { target_url } });

      expect(urls).toEqual([`${URL_A}/%C3%B8/%7Bid%7D`]);
      expect(await webhooks()).toEqual([]);
    });

    const requests = [
      ['POST', 'body', { body: { target_url: URL_A } }],
      ['DELETE', 'body', { body: { target_url: URL_A } }],
      ['DELETE', 'query', { query: `target_url=${encodeURIComponent(URL_A)}` }],
      ['POST', 'query', { body: {}, query: `target_url=${encodeURIComponent(URL_A)}` }],
    ] as const;

    it.each(requests)(
      'PC-5, PC reading 4, PC reading 6: %s with the target_url in the %s answers 200 and deletes every Passcreator webhook with that URL',
      async (method, _, request) => {
        await putTemplate();
        await subscribe();
        await subscribe({ event: 'pass_template_updated' });
        await subscribe({}, { template: `/${TEMPLATE}` });
        await subscribe({ target_url: `${URL_A}/2` });
        await native('POST', '/webhooks', caller, { body: { url: URL_A, events: ['task.accepted'] } });

        const { status, json } = await call(method, '/unsubscribe', request);

        expect([status, json]).toEqual([200, {}]);
        expect(await list()).toMatchObject([{ target_url: `${URL_A}/2` }]);
        expect((await webhooks()).map(({ profile }) => profile)).toEqual(['passpost', 'passcreator']);
      },
    );

    it('PC reading 5: POST answers 200 to a target_url that only another account has, and the webhook of the other account stays', async () => {
      await subscribe();
      const firstCaller = caller;
      caller = await aCaller(tables);

      const { status, json } = await call('POST', '/unsubscribe', { body: { target_url: URL_A } });

      expect([status, json]).toEqual([200, {}]);
      caller = firstCaller;
      expect(await list()).toHaveLength(1);
    });

    it.each(['POST', 'DELETE'])('PC-5 %s answers 400 to a missing or empty target_url', async (method) => {
      for (const request of [{}, { body: {} }, { body: { target_url: '' } }]) {
        const { status, json } = await call(method, '/unsubscribe', request);

        expect([status, json]).toEqual([400, { ErrorMessage: 'target_url: Required.' }]);
      }
    });

    it('after DELETE /unsubscribe, POST /subscribe with the same target_url answers 201, and the list has one webhook', async () => {
      await subscribe();
      await call('DELETE', '/unsubscribe', { body: { target_url: URL_A } });

      expect((await subscribe()).status).toBe(201);
      expect(await list()).toHaveLength(1);
    });
  });

  it('PC-6, PC reading 9: GET /api/hook/list shows only subscription_url, target_url, event and pass_template of each webhook, not retryEnabled or signPayload', async () => {
    await putTemplate();
    await subscribe({ subscription_url: 'https://example.com/s/1', retryEnabled: true, signPayload: true });
    await subscribe({ event: 'pass_template_updated' }, { template: `/${TEMPLATE}` });

    expect(await list()).toEqual([
      { subscription_url: 'https://example.com/s/1', target_url: URL_A, event: 'pass_created', pass_template: null },
      { subscription_url: null, target_url: URL_A, event: 'pass_template_updated', pass_template: TEMPLATE },
    ]);
  });

  it('PC-7 GET /api/hook/publickey answers 200 with the ES256 key of the account, an EC key on P-256, as PEM; another account and the mode test get another key', async () => {
    const { status, json } = await call('GET', '/publickey');

    const key = createPublicKey(json.publicKey);
    expect([status, Object.keys(json)]).toEqual([200, ['publicKey']]);
    expect(json.publicKey).toMatch(/^-----BEGIN PUBLIC KEY-----\n/);
    expect([key.asymmetricKeyType, key.asymmetricKeyDetails?.namedCurve]).toEqual(['ec', 'prime256v1']);
    expect((await call('GET', '/publickey')).json).toEqual(json);
    const others = [await aCaller(tables), await aCaller(tables, { accountId: caller.accountId, mode: 'test' })];
    for (const sentBy of others) {
      expect((await call('GET', '/publickey', { sentBy })).json.publicKey).not.toBe(json.publicKey);
    }
  });

  it('PC-4, PC reading 8: answers 400, 401, 403, 404, 405, 413, 415 and 429 with an object that has only ErrorMessage', async () => {
    const reader = await aCaller(tables, { accountId: caller.accountId, scopes: ['webhooks:read'] });
    const limited = await seedAccount(tables, { limit: 1 });
    const busy = { accountId: limited.accountId, owner: '', key: limited.key };
    await call('GET', '/list', { sentBy: busy });
    const withTextBody = passcreator('POST', '/subscribe', caller, {
      body: JSON.stringify(minimalSubscription),
      headers: { authorization: caller.key, 'content-type': 'text/plain' },
    });
    const answers = [
      [401, call('GET', '/list', { sentBy: { ...caller, key: 'pp_live_00000000000000000000' } })],
      [403, call('POST', '/subscribe', { sentBy: reader, body: minimalSubscription })],
      [404, call('GET', '/nothing')],
      [405, call('GET', '/subscribe')],
      [400, call('POST', '/subscribe', { body: '{' })],
      [400, call('POST', '/subscribe', { body: minimalSubscription, query: 'colour=red' })],
      [413, call('POST', '/subscribe', { body: 'x'.repeat(300_000) })],
      [415, withTextBody],
      [429, call('GET', '/list', { sentBy: busy })],
    ] as const;

    for (const [status, answer] of answers) {
      const { status: actualStatus, json, headers } = await answer;
      expect([actualStatus, json]).toEqual([status, { ErrorMessage: expect.any(String) }]);
      expect(headers['x-request-id']).toBeDefined();
    }
    expect((await answers[3][1]).headers.allow).toBe('POST');
    expect((await call('PUT', '/unsubscribe')).headers.allow).toBe('POST, DELETE');
  });
});
