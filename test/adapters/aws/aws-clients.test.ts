import { GetItemCommand } from '@aws-sdk/client-dynamodb';
import { GetSecretValueCommand } from '@aws-sdk/client-secrets-manager';
import { SendMessageBatchCommand, SendMessageCommand } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type LoopbackServer, serveOnLoopback } from '../../../deploy/loopback-server.ts';
import { createKeyAuthenticator } from '../../../lambdas/adapters/accounts/authenticate-key.ts';
import { dynamoClient, secretsClient, sqsClient } from '../../../lambdas/adapters/aws/aws-clients.ts';
import { drawApiKey } from '../../../lambdas/domain/accounts/api-key.ts';

/** What the server does with the requests of one test, which carry the test's name. */
interface Plan {
  /** Number of requests that get no answer before one is answered `{}`. */
  readonly unanswered: number;
  /** Whether an unanswered request gets the head and the first byte of an answer. */
  readonly beginsAnswer?: boolean;
}

// The tests wait most of the time, so they run at the same time with one server.
describe.concurrent('an AWS client, with a server that accepts a call and does not answer it', () => {
  let server: LoopbackServer;
  const plans = new Map<string, Plan>();
  const requests = new Map<string, number>();
  beforeAll(async () => {
    server = await serveOnLoopback(async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
      const name = /case-[a-z-]+/.exec(Buffer.concat(chunks).toString())?.[0] ?? '';
      const count = (requests.get(name) ?? 0) + 1;
      requests.set(name, count);
      const { unanswered, beginsAnswer = false } = plans.get(name) ?? { unanswered: 0 };
      response.setHeader('content-type', 'application/x-amz-json-1.0');
      if (count > unanswered) response.end('{}');
      else if (beginsAnswer) response.writeHead(200, { 'content-length': 2 }).write('{');
    });
    vi.stubEnv('AWS_ENDPOINT_URL', server.url);
    vi.stubEnv('AWS_REGION', 'us-east-1');
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'local');
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'local');
  });
  afterAll(async () => {
    vi.unstubAllEnvs();
    await server.stop();
  });

  const secondsOf = async (call: Promise<unknown>): Promise<number> => {
    const startMs = performance.now();
    await call;
    return (performance.now() - startMs) / 1000;
  };
  const getItem = (name: string) => new GetItemCommand({ TableName: name, Key: { pk: { S: 'a' }, sk: { S: 'b' } } });

  /** Sends a call that is answered, so that the client's next call of this kind takes the thin path, and then this one. */
  const sendSecondGet = async (name: string): Promise<unknown> => {
    const client = dynamoClient();
    await client.send(getItem('first'));
    return client.send(getItem(name));
  };
  const sendSecondBatch = async (name: string): Promise<unknown> => {
    const client = sqsClient();
    const batch = (MessageBody: string) =>
      new SendMessageBatchCommand({ QueueUrl: server.url, Entries: [{ Id: '1', MessageBody }] });
    await client.send(batch('first'));
    return client.send(batch(name));
  };

  it.each<[service: string, name: string, send: (name: string) => Promise<unknown>]>([
    ['DynamoDB', 'case-dynamo', (name) => dynamoClient().send(getItem(name))],
    ['DynamoDB on the thin path', 'case-thin-dynamo', sendSecondGet],
    ['SQS on the thin path', 'case-thin-queue', sendSecondBatch],
    [
      'SQS',
      'case-queue',
      (name) => sqsClient().send(new SendMessageCommand({ QueueUrl: server.url, MessageBody: name })),
    ],
    ['Secrets Manager', 'case-secret', (name) => secretsClient().send(new GetSecretValueCommand({ SecretId: name }))],
  ])(
    'of %s ends a try after 3 s without an answer, and the second try is answered: two requests in 3 to 6 s',
    async (_, name, send) => {
      plans.set(name, { unanswered: 1 });

      const seconds = await secondsOf(send(name));

      expect(requests.get(name)).toBe(2);
      expect(seconds).toBeGreaterThan(2.9);
      expect(seconds).toBeLessThan(6);
    },
  );

  it.each<[path: string, name: string, send: (name: string) => Promise<unknown>]>([
    ['DynamoDB', 'case-begun', (name) => dynamoClient().send(getItem(name))],
    ['DynamoDB on the thin path', 'case-thin-begun', sendSecondGet],
  ])(
    'of %s ends a try whose answer stops for 3 s after its first byte, and the second try is answered: two requests in 3 to 6 s',
    async (_, name, send) => {
      plans.set(name, { unanswered: 1, beginsAnswer: true });

      const seconds = await secondsOf(send(name));

      expect(requests.get(name)).toBe(2);
      expect(seconds).toBeGreaterThan(2.9);
      expect(seconds).toBeLessThan(6);
    },
  );

  it.each<[path: string, name: string, send: (name: string) => Promise<unknown>]>([
    ['DynamoDB', 'case-dead', (name) => dynamoClient().send(getItem(name))],
    ['DynamoDB on the thin path', 'case-thin-dead', sendSecondGet],
  ])(
    'of %s throws TimeoutError after four tries without an answer: four requests in less than 16 s',
    async (_, name, send) => {
      plans.set(name, { unanswered: Number.POSITIVE_INFINITY });

      const seconds = await secondsOf(expect(send(name)).rejects.toMatchObject({ name: 'TimeoutError' }));

      expect(requests.get(name)).toBe(4);
      expect(seconds).toBeLessThan(16);
    },
  );

  it('with maxAttempts 1, which counts the requests of API keys, does not retry: the authenticator tries a second time and then throws TimeoutError, after two requests', async () => {
    plans.set('case-counter', { unanswered: Number.POSITIVE_INFINITY });
    const { authenticate } = createKeyAuthenticator(dynamoClient({ maxAttempts: 1 }), 'case-counter');

    const seconds = await secondsOf(
      expect(authenticate(drawApiKey('live').key, 0)).rejects.toMatchObject({ name: 'TimeoutError' }),
    );

    expect(requests.get('case-counter')).toBe(2);
    expect(seconds).toBeLessThan(8);
  });
});
