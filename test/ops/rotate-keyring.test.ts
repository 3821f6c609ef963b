import { createPublicKey, type JsonWebKey, verify } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { GetSecretValueCommand, PutSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseKeyring } from '../../lambdas/domain/keyring/keyring.ts';
import { env } from '../../lambdas/runtime/env.ts';
import { callApi } from '../../local/cli/api-client.ts';
import type { LocalStack } from '../../local/stack.ts';
import { run } from '../../ops/run.ts';
import { startRecordedStack } from '../helpers/recorded-stack.ts';

interface Received {
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

describe('rotate-keyring on a running stack', () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'passpost-rotation-'));
  const received: Received[] = [];
  const receiver = createServer(async (request, response) => {
    received.push({ headers: request.headers, body: await text(request) });
    response.end();
  });
  let stack: LocalStack;
  let key: string;
  const start = async (): Promise<void> => {
    stack = await startRecordedStack({ dataDir });
  };
  const call = (method: string, path: string, body?: object) => callApi(stack.url, key, method, path, body);
  beforeAll(async () => {
    await new Promise<void>((done) => receiver.listen(0, '127.0.0.1', done));
    await start();
    key = String((await callApi(stack.url, stack.operatorKey, 'POST', '/accounts', { name: 'Test' })).body.key);
    const url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/`;
    await call('POST', '/webhooks', { url, events: ['task.accepted'], profile: 'standard', allow_http: true });
  });
  afterAll(async () => {
    await stack?.stop();
    receiver.closeAllConnections();
    receiver.close();
    rmSync(dataDir, { recursive: true, force: true });
  });

  const deliver = async (): Promise<Received> => {
    const count = received.length;
    await call('POST', '/events', { type: 'task.accepted', data: {} });
    for (const endMs = Date.now() + 10_000; received.length === count; ) {
      if (Date.now() > endMs) throw new Error('The receiver got no request.');
      await new Promise((next) => setTimeout(next, 20));
    }
    return received.at(-1) as Received;
  };
  const publishedKeys = async (): Promise<JsonWebKey[]> => {
    const { keys } = (await (await fetch(`${stack.url}/.well-known/jwks.json`)).json()) as { keys: JsonWebKey[] };
    return keys.filter(({ crv }) => crv === 'Ed25519');
  };
  /** The key that the request was signed with; `undefined` if it is none of these keys. */
  const signerAmong = (keys: readonly JsonWebKey[], { headers, body }: Received): JsonWebKey | undefined => {
    const signed = Buffer.from(`${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`);
    const [, signature = ''] = /v1a,(\S+)/.exec(String(headers['webhook-signature'])) ?? [];
    return keys.find((jwk) =>
      verify(null, signed, createPublicKey({ key: jwk, format: 'jwk' }), Buffer.from(signature, 'base64')),
    );
  };
  /**
   * Moves the keyring's times back by these seconds, as if the time had passed. Restarts the stack, because its functions cache
   * the keyring for minutes.
   */
  const passTime = async (seconds: number): Promise<void> => {
    const { environment } = stack.definitionOf('deliver');
    const client = new SecretsManagerClient({
      endpoint: environment.AWS_ENDPOINT_URL_SECRETS_MANAGER ?? '',
      region: 'us-east-1',
      credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    });
    const SecretId = environment[env.keyringSecret];
    const keyring = parseKeyring((await client.send(new GetSecretValueCommand({ SecretId }))).SecretString ?? '');
    const signing = keyring.signing.map((key) => ({ ...key, signs_from: (key.signs_from ?? 0) - seconds * 1000 }));
    await client.send(new PutSecretValueCommand({ SecretId, SecretString: JSON.stringify({ ...keyring, signing }) }));
    client.destroy();
    await stack.stop();
    await start();
  };

  it('with --signs-in 1200 publishes a new key 20 minutes before it signs deliveries; signatures of both keys verify afterwards', async () => {
    const before = await deliver();
    await run(['rotate-keyring', '--signs-in', '1200', '--local'], dataDir);
    const fetched = await publishedKeys();
    const waiting = await deliver();

    await passTime(1200);
    const after = await deliver();

    const [old, fresh] = fetched;
    expect(fetched).toHaveLength(2);
    expect([before, waiting, after].map((request) => signerAmong(fetched, request))).toEqual([old, old, fresh]);
    const now = await publishedKeys();
    expect([before, waiting, after].map((request) => signerAmong(now, request)?.kid)).toEqual([
      old?.kid,
      old?.kid,
      fresh?.kid,
    ]);
  });
});
