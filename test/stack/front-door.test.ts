import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { LoopbackServer } from '../../deploy/loopback-server.ts';
import type { LocalStack } from '../../local/stack.ts';
import { readAssembly } from '../../local/template/template.ts';
import type { Json } from '../helpers/api-call.ts';
import { assemblyWith } from '../helpers/assembly.ts';
import { startCloudFront } from '../helpers/cloudfront.ts';
import { startRecordedStack } from '../helpers/recorded-stack.ts';
import { frontDoorSettings } from '../helpers/settings.ts';

const VIEWER = '203.0.113.7';
const v1 = '/api/public/v1';

describe('a stack with a web ACL, whose API is behind CloudFront', () => {
  const invokedFunctions: string[] = [];
  let stack: LocalStack;
  let secrets: SecretsManagerClient;
  let cloudFront: LoopbackServer;
  beforeAll(async () => {
    // Also reserves concurrency, so that this test shows that the local stack accepts such a template.
    const assembly = await assemblyWith({ ...frontDoorSettings, engineConcurrency: '100' }, true);
    stack = await startRecordedStack({
      assembly,
      onInvocation: ({ functionName }) => invokedFunctions.push(functionName),
    });
    secrets = new SecretsManagerClient({
      endpoint: stack.definitionOf('front-door').environment.AWS_ENDPOINT_URL_SECRETS_MANAGER ?? '',
      region: 'us-east-1',
      credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    });
    cloudFront = await startCloudFront(readAssembly(assembly), secrets, stack.url, VIEWER);
  });
  afterAll(async () => {
    await cloudFront?.stop();
    await stack?.stop();
    secrets?.destroy();
  });

  const call = async (base: string, method: string, path: string, more: { key?: string; body?: object } = {}) => {
    const { key, body } = more;
    const response = await fetch(base + path, {
      method,
      headers: {
        ...(key ? { authorization: `Bearer ${key}` } : {}),
        ...(body ? { 'content-type': 'application/json' } : {}),
        // The API must ignore this header from clients; only CloudFront sets it.
        'x-passpost-viewer-address': '198.51.100.1',
      },
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
    return { status: response.status, body: (await response.json()) as Json };
  };

  test('answers 201 and 200 through CloudFront; the audit log has the viewer’s address, not the address in a forged header', async () => {
    const created = await call(cloudFront.url, 'POST', `${v1}/accounts`, {
      key: stack.operatorKey,
      body: { name: 'A' },
    });
    const key = String(created.body.key);
    const scopes = ['tasks:read'];
    const other = await call(cloudFront.url, 'POST', `${v1}/keys`, { key, body: { name: 'other', scopes } });
    const audit = await call(cloudFront.url, 'GET', `${v1}/audit?limit=1`, { key });

    expect([created.status, other.status, audit.status]).toEqual([201, 201, 200]);
    expect(audit.body.data).toMatchObject([{ action: 'key.created', target: other.body.id, ip: VIEWER }]);
  });

  test.each([
    ['GET', `${v1}/tasks`],
    ['GET', '/health'],
    ['GET', '/docs'],
    ['GET', '/.well-known/jwks.json'],
    ['POST', '/v1/webhooks'],
    ['POST', '/api/hook/subscribe'],
    ['GET', '/nothing'],
  ])('answers 401 and invokes no function when %s %s bypasses CloudFront', async (method, path) => {
    invokedFunctions.length = 0;

    const answer = await call(stack.url, method, path, { key: stack.operatorKey });

    expect(answer).toEqual({ status: 401, body: { message: 'Unauthorized' } });
    expect(invokedFunctions).toEqual([]);
  });

  test('answers 403 to a request with a wrong front-door secret and invokes only the authorizer front-door', async () => {
    invokedFunctions.length = 0;

    const response = await fetch(`${stack.url}${v1}/tasks`, { headers: { 'x-passpost-front-door': 'x'.repeat(64) } });

    expect([response.status, await response.json()]).toEqual([403, { message: 'Forbidden' }]);
    expect(invokedFunctions).toEqual(['front-door']);
  });

  test('answers 200 to 20 further requests through CloudFront without another invocation of the authorizer front-door', async () => {
    invokedFunctions.length = 0;

    const answers = await Promise.all(Array.from({ length: 20 }, () => call(cloudFront.url, 'GET', '/health')));

    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    expect(invokedFunctions.filter((name) => name === 'front-door')).toEqual([]);
  });
});
