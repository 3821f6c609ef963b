import { describe, expect, it } from 'vitest';
import { profileNames, profileOf } from '../../lambdas/profiles/index.ts';
import { useTables } from '../helpers/tables.ts';
import { minimalWebhook, useWebhooksApi } from '../helpers/webhooks-api.ts';

describe('the webhooks-api function with each profile', () => {
  const tables = useTables();
  const { api, create, current, get, patch, post, routesOf } = useWebhooksApi(tables);
  const rotate = (id: string) => api('POST', `/webhooks/${id}/rotate-secret`, current.caller, { body: {} });

  it.each(profileNames)('PP reading 11: POST /webhooks creates a webhook with the profile %s', async (profile) => {
    const { status, json } = await post({ ...minimalWebhook, events: ['*'], profile });

    expect(status).toBe(201);
    expect(json).toMatchObject({ profile, api_version: profileOf(profile).apiVersions[0], schedule: null });
    expect(json.secret).toMatch(/^whsec_/);
    expect((await rotate(json.id)).status).toBe(200);
  });

  it('PP-5 PP reading 4: for the passpost profile, * routes the five events of the page, and task.created only when it is named', async () => {
    const { id } = await create({ events: ['*'] });
    const named = await create({ events: ['*', 'task.created'] });

    for (const type of profileOf('passpost').events) expect(await routesOf(type)).toContain(`${id}|`);
    expect(await routesOf('task.created')).toEqual([`${named.id}|`]);
    expect(await routesOf('*')).toEqual([]);
  });

  it('PM-8 PM reading 5: accepts plain http only with allow_http, and stores the query of the url unchanged', async () => {
    const webhook = { events: ['*'], profile: 'postmen', url: `http://93.184.215.14/hook?secret=a+b%2Bc%20&x=~'` };

    const [refused, accepted] = [await post(webhook), await post({ ...webhook, allow_http: true })];

    expect(refused.status).toBe(422);
    expect(refused.json.errors).toMatchObject([{ path: 'url', code: 'https_required' }]);
    expect(accepted.status).toBe(201);
    expect((await get(accepted.json.id)).json.url).toBe(webhook.url);
  });

  it('PM reading 3: sets timeout_seconds of a postmen webhook to 10 or to the given value', async () => {
    const webhook = { events: ['*'], profile: 'postmen' };

    expect((await create(webhook)).timeout_seconds).toBe(10);
    expect((await create({ ...webhook, timeout_seconds: 30 })).timeout_seconds).toBe(30);
  });

  it('IP-7 IP reading 8: pins an inpost webhook to the newest or the given api_version, and answers 422 to an unknown one', async () => {
    const webhook = { events: ['*'], profile: 'inpost' };
    const [newest, older] = profileOf('inpost').apiVersions;

    const unnamed = await create(webhook);
    const pinned = await create({ ...webhook, api_version: older });
    const unknown = await post({ ...minimalWebhook, ...webhook, api_version: '2025-01-01' });

    expect(unnamed.api_version).toBe(newest);
    expect(pinned.api_version).toBe(older);
    expect((await patch(pinned.id, { description: 'stays' })).json.api_version).toBe(older);
    expect(unknown.status).toBe(422);
    expect(unknown.json.errors).toMatchObject([{ path: 'api_version', code: 'unknown_version' }]);
  });

  it('IP-1 IP-2 IP-3 stores every protection of an inpost webhook: no signature, Basic auth and custom headers', async () => {
    const { status, json } = await post({
      ...minimalWebhook,
      profile: 'inpost',
      profile_options: { mechanism: 'none' },
      basic_auth: { username: 'client', password: 'p4ssword' },
      headers: { 'x-api-key': 'k-1', 'x-tenant': 't-1' },
    });

    expect(status).toBe(201);
    expect(json).toMatchObject({
      profile_options: { mechanism: 'none', signed_content: 'body', hash: 'sha256', algorithm: 'rsa-sha256' },
      basic_auth: { username: 'client', password: '***' },
      headers: { 'x-api-key': '***', 'x-tenant': '***' },
    });
  });

  it.each([
    ['inpost', { mechanism: 'rot13' }, 'profile_options.mechanism'],
    ['inpost', { hash: 'md5' }, 'profile_options.hash'],
    ['inpost', { salt: 'x' }, 'profile_options.salt'],
    ['passcreator', { signPayload: 1 }, 'profile_options.signPayload'],
    ['postmen', { signPayload: true }, 'profile_options.signPayload'],
    ['passmint', { hash: 'sha512' }, 'profile_options.hash'],
  ])(
    'POST /webhooks answers 422 and names the field for profile %s with the options %j',
    async (profile, profile_options, path) => {
      const { status, json } = await post({ ...minimalWebhook, events: ['*'], profile, profile_options });

      expect(status).toBe(422);
      expect(json.errors).toMatchObject([{ path }]);
    },
  );
});
