import { createPublicKey, verify } from 'node:crypto';
import type { APIGatewayProxyEventV2, Context } from 'aws-lambda';
import { beforeEach, describe, expect, it } from 'vitest';
import { createKeyring } from '../../lambdas/adapters/keyring/keyring.ts';
import { createPublicKeys, putPublicKeys } from '../../lambdas/adapters/keyring/public-keys.ts';
import { createSealer } from '../../lambdas/adapters/keyring/sealing.ts';
import { createSecretStore } from '../../lambdas/adapters/keyring/secret-store.ts';
import type { Rendered, SigningMaterial } from '../../lambdas/domain/deliveries/profile.ts';
import { createKeyring as drawKeyring, type PublicKeys, publicKeysOf } from '../../lambdas/domain/keyring/keyring.ts';
import { rotateKeyring } from '../../lambdas/domain/keyring/rotate-keyring.ts';
import { inpost } from '../../lambdas/profiles/inpost.ts';
import { standard } from '../../lambdas/profiles/standard.ts';
import { publicKeyRoutes } from '../../lambdas/routes/public-keys.ts';
import { httpHandler } from '../../lambdas/runtime/http.ts';
import type { VerifyByKey } from '../helpers/profile-contract.ts';
import { verifyV1a } from '../helpers/receivers/standard.ts';
import { renderInput } from '../helpers/render-input.ts';
import { useSecretsManager } from '../helpers/secrets-manager.ts';
import { useTables } from '../helpers/tables.ts';

const SHORTEST_WAIT_SECONDS = 1200;
const options = { mechanism: 'digital', signed_content: 'body', hash: 'sha256', algorithm: 'rsa-sha256' } as const;

type Jwks = Parameters<VerifyByKey>[1];

/** Whether at least one EdDSA key of the set verifies the request. */
const verifyWithAny = (request: Rendered, keys: Jwks): boolean =>
  keys.filter(({ alg }) => alg === 'EdDSA').some((key) => verifyV1a(request, [key]));

const verifyWithPem = ({ headers, body }: Rendered, pem: string): boolean =>
  verify('sha256', Buffer.from(body), createPublicKey(pem), Buffer.from(headers['x-inpost-signature'] ?? '', 'base64'));

describe('a keyring rotation', () => {
  const tables = useTables();
  const manager = useSecretsManager();
  let nowMs: number;
  let revision = 0;
  const clock = (): number => nowMs;
  const put = (keys: PublicKeys) => putPublicKeys(tables.client, tables.credentialsTable, keys);
  const secondsFrom = (startMs: number, seconds: number): void => {
    nowMs = startMs + seconds * 1000;
  };

  beforeEach(async () => {
    nowMs = Date.UTC(2026, 10, 1);
    // Higher than the revision that the previous test stored.
    revision += 100;
    const first = { ...drawKeyring(), revision };
    manager.secrets.set('keyring', { value: JSON.stringify(first), token: null });
    await put(publicKeysOf(first));
  });

  const rotate = (signsInSeconds: number) =>
    rotateKeyring(
      {
        keyring: createSecretStore(manager.client, 'keyring'),
        putPublicKeys: put,
        clock,
      },
      signsInSeconds,
    );

  /** The public-keys calls of the API, with their cache. */
  const createEndpoint = () => {
    const publicKeys = createPublicKeys(tables.client, tables.credentialsTable, clock);
    const handler = httpHandler(publicKeyRoutes(publicKeys.read), { surface: 'native', now: clock });
    return async (path: string, rawQueryString = '') => {
      const requestContext = { http: { method: 'GET', path } };
      const event = { rawPath: path, rawQueryString, headers: {}, isBase64Encoded: false, requestContext };
      const { body = '', headers = {} } = await handler(event as unknown as APIGatewayProxyEventV2, {} as Context);
      return { body, maxAgeSeconds: Number(/max-age=(\d+)/.exec(String(headers['cache-control']))?.[1]) };
    };
  };
  /** A receiver that caches public keys until max-age ends. It does not fetch them again when a signature is wrong. */
  const createReceiver = (get: ReturnType<typeof createEndpoint>, path: string, query?: string) => {
    let cached = { body: '', untilMs: 0 };
    return async (): Promise<string> => {
      if (nowMs >= cached.untilMs) {
        const { body, maxAgeSeconds } = await get(path, query);
        cached = { body, untilMs: nowMs + maxAgeSeconds * 1000 };
      }
      return cached.body;
    };
  };
  const sign = async (keyring: ReturnType<typeof createKeyring>) => {
    const secrets: SigningMaterial['secrets'] = ['whsec_dGVzdC1zZWNyZXQtMzItYnl0ZXMtbG9uZy0hISEhISE='];
    const material = { ...(await keyring.signingKeys(nowMs)), secrets };
    return {
      kid: material.ed25519.kid,
      v1a: standard.render(renderInput(), material, {}, new Date(nowMs)),
      digital: inpost.render(renderInput(), material, options, new Date(nowMs)),
    };
  };

  it('two receivers that cache public keys by max-age verify every signature from 10 s before to 30 min after the rotation', async () => {
    const startMs = nowMs;
    const keyring = createKeyring(manager.client, 'keyring', clock);
    const get = createEndpoint();
    // The second receiver starts just before the API refreshes its own cache, so this receiver gets keys of the greatest possible age.
    const receivers = [-10, 285].map((fromSecond) => ({
      fromSecond,
      jwks: createReceiver(get, '/.well-known/jwks.json'),
      pem: createReceiver(get, '/inpost/public-key', 'algorithm=rsa-sha256'),
    }));
    const kids = new Set<string>();
    const unverified: number[] = [];

    for (let second = -10; second <= 1800; second += 5) {
      secondsFrom(startMs, second);
      if (second === 0) await rotate(SHORTEST_WAIT_SECONDS);
      const { kid, v1a, digital } = await sign(keyring);
      kids.add(kid);
      for (const { jwks, pem } of receivers.filter(({ fromSecond }) => fromSecond <= second)) {
        const isVerified = verifyWithAny(v1a, JSON.parse(await jwks()).keys) && verifyWithPem(digital, await pem());
        if (!isVerified) unverified.push(second);
      }
    }

    expect(unverified).toEqual([]);
    expect(kids.size).toBe(2);
  });

  it('publishes the next signing keys a day before they sign: keys fetched before the switch verify signatures made after the switch', async () => {
    const startMs = nowMs;
    const keyring = createKeyring(manager.client, 'keyring', clock);
    const before = await sign(keyring);
    await rotate(86_400);
    const get = createEndpoint();
    const fetched = JSON.parse((await get('/.well-known/jwks.json')).body).keys;
    const announced = JSON.parse((await get('/inpost/public-key')).body);

    secondsFrom(startMs, 86_400);
    const after = await sign(keyring);

    expect(after.kid).not.toBe(before.kid);
    expect(verifyWithAny(after.v1a, fetched)).toBe(true);
    expect(Date.parse(announced.next.signs_from)).toBe(nowMs);
    expect(verifyWithPem(after.digital, announced.next.rsa)).toBe(true);
    expect(verifyWithPem(before.digital, announced.rsa)).toBe(true);
  });

  it('jwks.json has the old EdDSA key first before the switch and fourth after the switch, and signatures of the old key still verify', async () => {
    const startMs = nowMs;
    const before = await sign(createKeyring(manager.client, 'keyring', clock));
    await rotate(SHORTEST_WAIT_SECONDS);
    const kidsAt = async (second: number): Promise<string[]> => {
      secondsFrom(startMs, second);
      const { keys } = JSON.parse((await createEndpoint()('/.well-known/jwks.json')).body);
      return keys.map(({ kid }: { kid: string }) => kid);
    };

    const [kidsBefore, kidsAfter] = [await kidsAt(1199), await kidsAt(1200)];

    const { keys } = JSON.parse((await createEndpoint()('/.well-known/jwks.json')).body);
    expect(verifyWithAny(before.v1a, keys)).toBe(true);
    expect(kidsBefore.toSorted()).toEqual(kidsAfter.toSorted());
    expect([kidsBefore[0], kidsAfter.indexOf(before.kid)]).toEqual([before.kid, 3]);
  });

  it('seals new secrets with the new key pair, and the keyring still opens secrets that were sealed with the old key pair', async () => {
    const createNewSealer = () => createSealer(createPublicKeys(tables.client, tables.credentialsTable, clock).read);
    const keyring = createKeyring(manager.client, 'keyring', clock);
    const old = await createNewSealer().seal('acc_1#live', 'whk_1', 'secret', 'old');
    await keyring.open('acc_1#live', 'whk_1', 'secret', old);
    const { sealing_kid } = await rotate(86_400);
    nowMs += 5_000;

    const sealed = await createNewSealer().seal('acc_1#live', 'whk_1', 'secret', 'new');

    const header = JSON.parse(Buffer.from(sealed.split('.')[0] ?? '', 'base64url').toString());
    expect(header.kid).toBe(sealing_kid);
    expect(await keyring.open('acc_1#live', 'whk_1', 'secret', sealed)).toBe('new');
    expect(await createKeyring(manager.client, 'keyring', clock).open('acc_1#live', 'whk_1', 'secret', old)).toBe(
      'old',
    );
  });
});
