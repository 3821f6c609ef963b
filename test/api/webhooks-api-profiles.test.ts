import { describe, expect, it } from 'vitest';
import { profileNames, profileOf } from '../../lambdas/profiles/index.ts';
import { useTables } from '../helpers/tables.ts';
import { minimalWebhook, useWebhooksApi } from '../helpers/webhooks-api.ts';

describe('the webhooks-api function with each profile', () => {
  const tables = useTables();
  const { api, create, current, get, patch, post, routesOf } = useWebhooksApi(tables);
  const rotate = (id: string) => api('POST', `/webhooks/${id}/rotate-secret`, current.caller, { body: {} });

  it.each(profileNames)(
    'PP reading 11: POST /webhooks with the profile %s and no api_version answers 201 with the newest version of the profile and a generated secret; rotate-secret then answers 200',
    async (profile) => {
      const { status, json } = await post({ ...minimalWebhook, events: ['*'], profile });

      expect(status).toBe(201);
      expect(json).toMatchObject({ profile, api_version: profileOf(profile).apiVersions[0], schedule: null });
      expect(json.secret).toMatch(/^whsec_/);
      expect((await rotate(json.id)).status).toBe(200);
    },
  );

  it('PP-5 PP reading 4: events * of a passpost webhook write routes for its five event types; a route for task.created needs that name', async () => {
    const { id } = await create({ events: ['*'] });
    const named = await create({ events: ['*', 'task.created'] });

    for (const type of profileOf('passpost').events) expect(await routesOf(type)).toContain(`${id}|`);
    expect(await routesOf('task.created')).toEqual([`${named.id}|`]);
    expect(await routesOf('*')).toEqual([]);
  });

  it('PM-8 PM reading 5: answers 422 to a postmen webhook with plain http, and 201 with allow_http; GET shows the query of the url unchanged', async () => {
    const webhook = { events: ['*'], profile: 'postmen', url: `http://93.184.215.14/hook?secret=a+b%2Bc%20&x=~'` };

    const [refused, accepted] = [await post(webhook), await post({ ...webhook, allow_http: true })];

    expect(refused.status).toBe(422);
    expect(refused.json.errors).toMatchObject([{ path: 'url', code: 'https_required' }]);
    expect(accepted.status).toBe(201);
    expect((await get(accepted.json.id)).json.url).toBe(webhook.url);
  });

  it('PM reading 3: a new postmen webhook has timeout_seconds 10 by default, or the given value', async () => {
    const webhook = { events: ['*'], profile: 'postmen' };

    expect((await create(webhook)).timeout_seconds).toBe(10);
    expect((await create({ ...webhook, timeout_seconds: 30 })).timeout_seconds).toBe(30);
  });

  it('IP-7 IP reading 8: an inpost webhook has the newest api_version or the given version, also after a PATCH; an unknown version gets 422', async () => {
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

  it('IP-1 IP-2 IP-3 answers 201 to an inpost webhook with mechanism none, Basic auth and two headers, and shows stars for the secret values', async () => {
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
    ['inpost', 'the unknown mechanism rot13', { mechanism: 'rot13' }, 'profile_options.mechanism'],
    ['inpost', 'the unknown hash md5', { hash: 'md5' }, 'profile_options.hash'],
    ['inpost', 'the unknown option salt', { salt: 'x' }, 'profile_options.salt'],
    ['passcreator', 'signPayload as a number', { signPayload: 1 }, 'profile_options.signPayload'],
    ['postmen', 'signPayload, an option of another profile', { signPayload: true }, 'profile_options.signPayload'],
    ['passmint', 'hash, an option of another profile', { hash: 'sha512' }, 'profile_options.hash'],
  ])(
    'POST /webhooks answers 422 and names the field for the profile %s with %s',
    async (profile, _, profile_options, path) => {
      const { status, json } = await post({ ...minimalWebhook, events: ['*'], profile, profile_options });

      expect(status).toBe(422);
      expect(json.errors).toMatchObject([{ path }]);
    },
  );
});
