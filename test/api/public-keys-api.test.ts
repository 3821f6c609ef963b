import { createPublicKey } from 'node:crypto';
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2, Context } from 'aws-lambda';
import { createLocalJWKSet } from 'jose';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { putPublicKeys } from '../../lambdas/adapters/keyring/public-keys.ts';
import { createKeyring, publicKeysOf } from '../../lambdas/domain/keyring/keyring.ts';
import { env } from '../../lambdas/runtime/env.ts';
import { useTables } from '../helpers/tables.ts';

const keyring = createKeyring();

describe('the public-keys-api function', () => {
  const tables = useTables();
  let get: (method?: string, path?: string, query?: string) => Promise<APIGatewayProxyStructuredResultV2>;

  beforeAll(async () => {
    vi.stubEnv('AWS_REGION', 'us-east-1');
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'local');
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'local');
    vi.stubEnv('AWS_ENDPOINT_URL_DYNAMODB', tables.endpoint);
    vi.stubEnv(env.credentialsTable, tables.credentialsTable);
    const { handler } = await import('../../lambdas/functions/public-keys-api.ts');
    get = (method = 'GET', path = '/.well-known/jwks.json', query = '') => {
      const event = {
        rawPath: path,
        rawQueryString: query,
        headers: {},
        isBase64Encoded: false,
        requestContext: { domainName: 'api.example', http: { method, path, sourceIp: '203.0.113.1' } },
      };
      return handler(event as unknown as APIGatewayProxyEventV2, {} as Context);
    };
  });

  it('GET /.well-known/jwks.json answers 503 before the deployment has keys', async () => {
    expect(await get()).toMatchObject({ statusCode: 503 });
  });

  it('GET /.well-known/jwks.json answers 200 without an API key, with all public keys and a max-age of 300 seconds', async () => {
    await putPublicKeys(tables.client, tables.credentialsTable, publicKeysOf(keyring));

    const { statusCode, headers, body = '' } = await get();

    expect(statusCode).toBe(200);
    expect(headers).toMatchObject({ 'content-type': 'application/json', 'cache-control': 'public, max-age=300' });
    expect(JSON.parse(body)).toEqual({ keys: publicKeysOf(keyring).jwks.keys.map(({ signs_from: _, ...jwk }) => jwk) });
    await expect(
      createLocalJWKSet(JSON.parse(body))({ alg: 'EdDSA', kid: keyring.signing[0]?.kid ?? '' }),
    ).resolves.toMatchObject({ type: 'public' });
  });

  it('GET /inpost/public-key shows the RSA and the EC key as PEM, or only the key of the given algorithm, and answers 422 to md5', async () => {
    const both = await get('GET', '/inpost/public-key');
    const ec = await get('GET', '/inpost/public-key', 'algorithm=ecdsa-p256-sha256');
    const rsa = await get('GET', '/inpost/public-key', 'algorithm=rsa-sha256');

    const { next, ...pems } = JSON.parse(both.body ?? '');
    expect([both.statusCode, Object.keys(pems), next]).toEqual([200, ['rsa', 'ec'], null]);
    expect([rsa.body, ec.body]).toEqual([pems.rsa, pems.ec]);
    expect(ec.headers).toMatchObject({ 'content-type': 'application/x-pem-file' });
    const published = Object.values(pems).map((pem) => createPublicKey(pem as string).export({ format: 'jwk' }));
    expect(publicKeysOf(keyring).jwks.keys).toMatchObject([{}, published[1], published[0]]);
    expect(await get('GET', '/inpost/public-key', 'algorithm=md5')).toMatchObject({ statusCode: 422 });
  });

  it('POST /.well-known/jwks.json answers 405', async () => {
    expect(await get('POST')).toMatchObject({ statusCode: 405, headers: { allow: 'GET, HEAD' } });
  });
});
