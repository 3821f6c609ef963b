import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { afterAll, beforeAll, beforeEach } from 'vitest';

interface Secret {
  value: string | null;
  /** The value that AWSPREVIOUS names, after a replacement. */
  previous?: string | null;
  token: string | null;
}

export interface SecretsManager {
  readonly client: SecretsManagerClient;
  readonly endpoint: string;
  /** The stored secrets by id. CloudFormation creates a secret without a value. */
  readonly secrets: Map<string, Secret>;
  /** The called operations, in order. */
  readonly calls: string[];
  isAway: boolean;
}

class Refusal extends Error {}

const perform = (operation: string, input: Record<string, string>, secrets: Map<string, Secret>): object => {
  const secret = secrets.get(input.SecretId ?? '');
  if (!secret) throw new Refusal('ResourceNotFoundException');
  if (operation === 'GetSecretValue') {
    const value = input.VersionStage === 'AWSPREVIOUS' ? (secret.previous ?? null) : secret.value;
    if (value === null) throw new Refusal('ResourceNotFoundException');
    return { ARN: input.SecretId, SecretString: value };
  }
  if (operation !== 'PutSecretValue') throw new Refusal('UnknownOperationException');
  const { SecretString: value = '', ClientRequestToken: token = '' } = input;
  // A token that created a version cannot create another version.
  if (secret.token === token && secret.value !== value) throw new Refusal('ResourceExistsException');
  Object.assign(secret, { previous: secret.value, value, token });
  return { ARN: input.SecretId, VersionId: token };
};

/** A fake Secrets Manager on loopback with two operations of the real protocol. Emptied before each test. */
export const useSecretsManager = (): SecretsManager => {
  const manager: { -readonly [K in keyof SecretsManager]: SecretsManager[K] } = {
    client: undefined as unknown as SecretsManagerClient,
    endpoint: '',
    secrets: new Map(),
    calls: [],
    isAway: false,
  };
  const server = createServer(async (request, response) => {
    const operation = String(request.headers['x-amz-target']).replace('secretsmanager.', '');
    const input = JSON.parse(await text(request)) as Record<string, string>;
    manager.calls.push(operation);
    const answer = (status: number, body: object): void => {
      response.writeHead(status, { 'content-type': 'application/x-amz-json-1.1' }).end(JSON.stringify(body));
    };
    try {
      if (manager.isAway) answer(503, { __type: 'InternalServiceError' });
      else answer(200, perform(operation, input, manager.secrets));
    } catch (error) {
      answer(400, { __type: error instanceof Refusal ? error.message : 'InternalServiceError' });
    }
  });
  beforeAll(async () => {
    await once(server.listen(0, '127.0.0.1'), 'listening');
    manager.endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    manager.client = new SecretsManagerClient({
      endpoint: manager.endpoint,
      region: 'us-east-1',
      maxAttempts: 1,
      credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    });
  });
  beforeEach(() => {
    manager.secrets.clear();
    manager.calls.length = 0;
    manager.isAway = false;
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });
  return manager;
};
