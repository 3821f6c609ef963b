import { decodeProtectedHeader } from 'jose/decode/protected_header';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Json } from '../helpers/api-call.ts';
import { type CallAs, useApi } from '../helpers/api-caller.ts';
import { useTables } from '../helpers/tables.ts';
import { useWebhooksApi } from '../helpers/webhooks-api.ts';

const basic_auth = { username: 'a', password: 'b' };
const headers = { 'x-api-key': 'k-1' };
const url = 'https://93.184.215.14/hook';
const elsewhere = 'https://93.184.215.15/hook';
type Faults = { path: string; code: string }[];

describe('the credentials of a webhook that a change moves to another origin', () => {
  const tables = useTables();
  const { api, current, create, patch, get, rows } = useWebhooksApi(tables);

  const faultsOf = (problem: { errors: Faults }) => problem.errors.map(({ path, code }) => `${path} ${code}`);
  const both = ['basic_auth', 'headers'];

  it.each<[string, object]>([
    ['another host', { url: elsewhere }],
    ['another port', { url: 'https://93.184.215.14:8443/hook' }],
    ['plain http', { url: 'http://93.184.215.14/hook', allow_http: true }],
    ['allow_http true with the same URL', { allow_http: true }],
    ['another host, with headers but without basic_auth', { url: elsewhere, headers }],
    ['another host, with basic_auth null but without headers', { url: elsewhere, basic_auth: null }],
  ])(
    'PATCH /webhooks/{id} answers 422 credentials_required for basic_auth and headers unless the call names them, and changes no row: %s',
    async (_, change) => {
      const { id } = await create({ basic_auth, headers });
      const before = await rows();

      const { status, json } = await patch(id, change);

      expect(status).toBe(422);
      expect(faultsOf(json)).toEqual(
        both.filter((name) => !(name in change)).map((name) => `${name} credentials_required`),
      );
      expect(await rows()).toEqual(before);
    },
  );

  it.each<[string, object]>([
    ['another path and query on the same host', { url: 'https://93.184.215.14/other?a=b' }],
    ['the same host with the default port written out', { url: 'https://93.184.215.14:443/hook' }],
    ['another host with both again', { url: elsewhere, basic_auth, headers }],
    ['another host with both null', { url: elsewhere, basic_auth: null, headers: null }],
    ['allow_http false', { allow_http: false }],
  ])('PATCH /webhooks/{id} answers 200 for %s', async (_, change) => {
    const { id } = await create({ basic_auth, headers });

    expect(await patch(id, change)).toMatchObject({ status: 200 });
  });

  it('PATCH /webhooks/{id} answers 200 for another host when the webhook has neither basic_auth nor headers', async () => {
    const { id } = await create();

    expect(await patch(id, { url: elsewhere, allow_http: true })).toMatchObject({ status: 200 });
  });

  it('PATCH /webhooks/{id} names credentials_required together with another wrong field', async () => {
    const { id } = await create({ headers });

    const { json } = await patch(id, { url: elsewhere, events: ['x'] });

    expect(faultsOf(json)).toEqual(['headers credentials_required', 'events.0 unknown_event_type']);
  });

  it('POST, PATCH and rotate-secret seal secret, password and headers of a webhook each with its own purpose', async () => {
    const purposes = async () => {
      const {
        secrets,
        basic_auth: basic,
        headers: own,
      } = (await rows()).find(({ kind }) => kind === 'webhook') as Json;
      return [...secrets, basic, own].map(({ sealed }) => decodeProtectedHeader(sealed).purpose);
    };
    const { id } = await create({ basic_auth, headers });
    const created = await purposes();
    await patch(id, { basic_auth, headers });
    const changed = await purposes();
    await api('POST', `/webhooks/${id}/rotate-secret`, current.caller);

    expect(created).toEqual(['secret', 'password', 'headers']);
    expect(changed).toEqual(created);
    expect(await purposes()).toEqual(['secret', 'secret', 'password', 'headers']);
  });

  describe('changed through an API of another system', () => {
    const passmint: CallAs = useApi(tables, 'passmint-api', '/v1');
    const passcreator: CallAs = useApi(tables, 'passcreator-api', '/api/hook');
    let passmintId: string;
    beforeEach(async () => {
      passmintId = (await create({ profile: 'passmint', events: ['pass.voided'], headers })).id;
    });

    it("PassMint's PATCH /v1/webhooks/{id} answers 422 with the param headers for another host, and 200 for another path", async () => {
      const change = (body: object) => passmint('PATCH', `/webhooks/${passmintId}`, current.caller, { body });

      const moved = await change({ url: elsewhere });
      const shown = await get(passmintId);
      const samePlace = await change({ url: `${url}/2` });

      expect(moved).toMatchObject({ status: 422, json: { error: { param: 'headers' } } });
      expect(shown.json.url).toBe(url);
      expect(samePlace).toMatchObject({ status: 200 });
    });

    it("Passcreator's subscribe for another host creates a second webhook without the access token of the first", async () => {
      const subscribe = (target_url: string, query = '') =>
        passcreator('POST', '/subscribe', current.caller, {
          body: { target_url, event: 'pass_created' },
          query,
          headers: { authorization: current.caller.key },
        });

      await subscribe(url, 'generateAccessToken=true');
      await subscribe(elsewhere);

      const webhooks = (await rows()).filter(({ kind, profile }) => kind === 'webhook' && profile === 'passcreator');
      expect(webhooks.map((row) => [row.url, 'headers' in row])).toEqual([
        [url, true],
        [elsewhere, false],
      ]);
    });
  });
});
