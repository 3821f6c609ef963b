import { createPublicKey, type JsonWebKey, verify } from 'node:crypto';
import type { APIGatewayProxyEventV2, Context } from 'aws-lambda';
import { beforeEach, describe, expect, it } from 'vitest';
import { listSigningKeys } from '../../lambdas/adapters/keyring/signing-keys-table.ts';
import type { Rendered } from '../../lambdas/domain/deliveries/profile.ts';
import { provideSigningKey } from '../../lambdas/domain/keyring/provide-signing-key.ts';
import { rotateSigningKeys } from '../../lambdas/domain/keyring/rotate-signing-keys.ts';
import { sealSecret } from '../../lambdas/domain/webhooks/secret.ts';
import { inpost } from '../../lambdas/profiles/inpost.ts';
import { publicKeyRoutes } from '../../lambdas/routes/public-keys.ts';
import { httpHandler } from '../../lambdas/runtime/http.ts';
import { aCaller, type Caller, rowsHolding, useApi } from '../helpers/api-caller.ts';
import { renderInput } from '../helpers/render-input.ts';
import { useSigningKeys } from '../helpers/signing-keys.ts';
import { useTables } from '../helpers/tables.ts';
import { aWebhook } from '../helpers/virtual-engine.ts';

const options = inpost.options.parse({ mechanism: 'digital', algorithm: 'rsa-sha256' });

describe('the /signing-keys calls', () => {
  const tables = useTables();
  useSigningKeys(tables);
  const api = useApi(tables, 'webhooks-api');
  let me: Caller;
  beforeEach(async () => {
    me = await aCaller(tables);
  });

  const list = async (caller = me) => (await api('GET', '/signing-keys', caller)).json.data;
  const rotate = (body: object, headers: Record<string, string> = {}, caller = me) =>
    api('POST', '/signing-keys/rotate', caller, { body, headers });
  const addWebhook = (profile: string, profile_options: object) =>
    api('POST', '/webhooks', me, {
      body: { url: 'https://93.184.215.14/hook', events: ['task.accepted'], profile, profile_options },
    });
  const brief = (keys: { algorithm: string; status: string }[]) =>
    keys.map(({ algorithm, status }) => `${algorithm} ${status}`);

  it('GET /signing-keys is empty until a webhook needs a key: inpost with digital gets RS256, PATCH to ecdsa ES256, passcreator with signPayload the same ES256', async () => {
    const { json } = await addWebhook('inpost', {});
    await addWebhook('passcreator', {});
    await addWebhook('standard', {});
    const before = await list();
    await addWebhook('inpost', { mechanism: 'digital' });
    const withRsa = await list();
    await api('PATCH', `/webhooks/${json.id}`, me, {
      body: { profile_options: { mechanism: 'digital', algorithm: 'ecdsa-p256-sha256' } },
    });
    await addWebhook('passcreator', { signPayload: true });

    expect(before).toEqual([]);
    expect(brief(withRsa)).toEqual(['RS256 current']);
    expect(brief(await list())).toEqual(['ES256 current', 'RS256 current']);
  });

  it('a webhook of the profile standard has a public_key that changes with its secret; webhooks of other profiles have null', async () => {
    const { json } = await addWebhook('standard', {});
    const rotated = await api('POST', `/webhooks/${json.id}/rotate-secret`, me, { body: {} });
    const after = (await api('GET', `/webhooks/${json.id}`, me)).json;

    expect(json.public_key).toMatch(/^whpk_[A-Za-z0-9+/]{43}=$/);
    expect([rotated.status, after.public_key === json.public_key]).toEqual([200, false]);
    expect((await addWebhook('passpost', {})).json.public_key).toBeNull();
  });

  it('POST /signing-keys/rotate publishes a next key, adds no other while it waits, moves its start only forward, and adds an audit entry each time', async () => {
    await rotate({ algorithm: 'ES256' });
    const first = await list();
    const rotated = await rotate({ algorithm: 'ES256', overlap_seconds: 3600 });
    const later = await rotate({ overlap_seconds: 7200 });
    const sooner = await rotate({ overlap_seconds: 0 });

    expect(brief(first)).toEqual(['ES256 current']);
    expect(brief(rotated.json.data)).toEqual(['ES256 next', 'ES256 current']);
    expect(later.json.data[0]).toMatchObject({
      kid: rotated.json.data[0].kid,
      signs_from: rotated.json.data[0].signs_from,
    });
    expect(brief(sooner.json.data)).toEqual(['ES256 current', 'ES256 previous']);
    expect(sooner.json.data[0].kid).toBe(rotated.json.data[0].kid);
    expect(sooner.json.data[1]).toEqual({ ...first[0], status: 'previous' });
    expect(await list()).toEqual(sooner.json.data);
    const rows = await rowsHolding(tables, tables.domainTable, me.accountId);
    const entries = rows.filter(({ action }) => action === 'signing_key.rotated');
    expect(entries.map(({ action, target }) => [action, target])).toEqual(
      Array(4).fill(['signing_key.rotated', 'ES256']),
    );
  });

  it('POST /signing-keys/rotate gives a repeat under the same Idempotency-Key the first answer, and 422 to another body', async () => {
    const headers = { 'idempotency-key': 'rotation-1' };
    const first = await rotate({ algorithm: 'EdDSA' }, headers);
    await rotate({ algorithm: 'EdDSA', overlap_seconds: 0 });

    const repeat = await rotate({ algorithm: 'EdDSA' }, headers);
    const other = await rotate({ algorithm: 'ES256' }, headers);

    expect([repeat.status, repeat.json, repeat.headers['idempotency-replayed']]).toEqual([200, first.json, 'true']);
    expect(other).toMatchObject({ status: 422, json: { type: '/problems/idempotency_mismatch' } });
    expect(await list()).toHaveLength(2);
  });

  it('POST /signing-keys/rotate answers 409 without a key to rotate, 422 to an unknown algorithm or an overlap above 30 days, and 403 without webhooks:write', async () => {
    const reader = await aCaller(tables, { accountId: me.accountId, scopes: ['webhooks:read'] });

    expect((await rotate({})).status).toBe(409);
    expect(await rotate({ algorithm: 'HS256' })).toMatchObject({
      status: 422,
      json: { errors: [{ path: 'algorithm' }] },
    });
    expect(await rotate({ overlap_seconds: 2_592_001 })).toMatchObject({
      status: 422,
      json: { errors: [{ path: 'overlap_seconds' }] },
    });
    expect((await rotate({ algorithm: 'ES256' }, {}, reader)).status).toBe(403);
    expect(await list(reader)).toEqual([]);
  });

  it('five simultaneous webhooks that need the first key, and five simultaneous rotations, leave one next key and one current key', async () => {
    const added = await Promise.all(Array.from({ length: 5 }, () => addWebhook('passcreator', { signPayload: true })));
    const rotations = await Promise.all(Array.from({ length: 5 }, () => rotate({ overlap_seconds: 3600 })));

    expect(added.map(({ status }) => status)).toEqual(Array(5).fill(201));
    expect(rotations.filter(({ status }) => status === 200).length).toBeGreaterThan(0);
    expect(brief(await list())).toEqual(['ES256 next', 'ES256 current']);
  });

  it('keys of the mode test and of another account are other keys, and a rotation does not touch them', async () => {
    const others = [await aCaller(tables, { accountId: me.accountId, mode: 'test' }), await aCaller(tables)];
    for (const caller of [me, ...others]) await rotate({ algorithm: 'ES256' }, {}, caller);
    const before = await Promise.all(others.map((caller) => list(caller)));

    await rotate({ overlap_seconds: 0 });

    expect(await Promise.all(others.map((caller) => list(caller)))).toEqual(before);
    expect(new Set([...before.flat(), ...(await list())].map(({ public_key_pem }) => public_key_pem)).size).toBe(4);
  });
});

describe('a rotation of the signing key of an account, in virtual time', () => {
  const tables = useTables();
  const signing = useSigningKeys(tables);
  let nowMs = Date.UTC(2026, 10, 1);
  const clock = (): number => nowMs;

  const createEndpoint = (owner: string) => {
    const [account, mode] = owner.split('#');
    const routes = publicKeyRoutes((each) => listSigningKeys(tables.client, tables.domainTable, each));
    const handler = httpHandler(routes, { surface: 'native', now: clock });
    const get = async (path: string, rawQueryString = '') => {
      const requestContext = { http: { method: 'GET', path } };
      const event = { rawPath: path, rawQueryString, headers: {}, isBase64Encoded: false, requestContext };
      const { body = '', headers = {} } = await handler(event as unknown as APIGatewayProxyEventV2, {} as Context);
      return { body, maxAgeSeconds: Number(/max-age=(\d+)/.exec(String(headers['cache-control']))?.[1]) };
    };
    return {
      jwks: () => get(`/accounts/${account}/${mode}/jwks.json`),
      pem: () => get('/inpost/public-key', `account=${account}&mode=${mode}&algorithm=rsa-sha256`),
    };
  };
  /** A receiver that caches an answer until its max-age ends. It does not fetch it again when a signature is wrong. */
  const cached = (get: () => Promise<{ body: string; maxAgeSeconds: number }>) => {
    let stored = { body: '', untilMs: 0 };
    return async (): Promise<string> => {
      if (nowMs >= stored.untilMs) {
        const { body, maxAgeSeconds } = await get();
        stored = { body, untilMs: nowMs + maxAgeSeconds * 1000 };
      }
      return stored.body;
    };
  };
  const isSignedBy = (key: Parameters<typeof createPublicKey>[0], { headers, body }: Rendered): boolean =>
    verify(
      'sha256',
      Buffer.from(body),
      createPublicKey(key),
      Buffer.from(headers['x-inpost-signature'] ?? '', 'base64'),
    );

  it('receivers that cache the keys by max-age verify every signature from 10 s before to 30 min after a rotation with an overlap of 20 min', async () => {
    const owner = 'acc_01JDB6Q80000000000000000AB#live';
    const dependencies = signing.dependencies();
    await provideSigningKey(owner, 'RS256', dependencies, nowMs);
    const keyring = signing.keyringAt(clock);
    const { seal } = signing.sealer();
    const id = 'whk_01JDB6Q80000000000000000AC';
    const secret = await sealSecret('any', inpost, (purpose, text) => seal(owner, id, purpose, text));
    const webhook = aWebhook({ id, owner, profile: 'inpost', profile_options: options, secrets: [secret] });
    const endpoint = createEndpoint(owner);
    const receivers = [-10, 285].map((fromSecond) => ({
      fromSecond,
      jwks: cached(endpoint.jwks),
      pem: cached(endpoint.pem),
    }));
    const startMs = nowMs;
    const signers = new Set<string>();
    const unverified: number[] = [];

    for (let second = -10; second <= 1800; second += 5) {
      nowMs = startMs + second * 1000;
      if (second === 0) {
        const by = { accountId: 'acc_01JDB6Q80000000000000000AB', keyId: 'key_1', ip: '' };
        const body = { overlap_seconds: 1200 };
        await rotateSigningKeys({ owner, body, by, idempotencyKey: null, contentHash: '', nowMs }, dependencies);
      }
      const use = { rotation: 'switch', signingKey: 'RS256' } as const;
      const { material } = await keyring.openWebhook(webhook, use, nowMs);
      signers.add(String(material.privateKeys[0]?.export({ format: 'jwk' }).n));
      const request = inpost.render(renderInput(), material, options, new Date(nowMs));
      for (const { jwks, pem } of receivers.filter(({ fromSecond }) => fromSecond <= second)) {
        const { keys } = JSON.parse(await jwks()) as { keys: JsonWebKey[] };
        const isVerified =
          keys.some((key) => isSignedBy({ key, format: 'jwk' }, request)) && isSignedBy(await pem(), request);
        if (!isVerified) unverified.push(second);
      }
    }

    expect(unverified).toEqual([]);
    expect(signers.size).toBe(2);
  });
});
