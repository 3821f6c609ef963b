import { createHash, createHmac } from 'node:crypto';
import {
  BatchGetItemCommand,
  ConditionalCheckFailedException,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
} from '@aws-sdk/client-dynamodb';
import { SendMessageBatchCommand } from '@aws-sdk/client-sqs';
import { HttpRequest } from '@smithy/core/transport';
import { SignatureV4 } from '@smithy/signature-v4';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { type LoopbackServer, serveOnLoopback } from '../../../deploy/loopback-server.ts';
import { dynamoClient, sqsClient, takeAwsUse } from '../../../lambdas/adapters/aws/aws-clients.ts';

/** The hash function that the SDK's signer takes. With a secret it is an HMAC. */
class Sha256 {
  readonly #hash;
  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    this.#hash = secret === undefined ? createHash('sha256') : createHmac('sha256', secret as Buffer);
  }
  update(data: string | ArrayBuffer | ArrayBufferView): void {
    this.#hash.update(data as Buffer);
  }
  async digest(): Promise<Uint8Array> {
    return this.#hash.digest();
  }
  reset(): void {
    throw new Error('the signer does not reset a hash');
  }
}

interface Received {
  readonly method: string;
  readonly path: string;
  readonly headers: Record<string, string>;
  readonly body: string;
}

/** An answer to one request. Without a body the server closes the connection instead. */
interface Answer {
  readonly status?: number;
  readonly body?: object;
}

const error = (name: string, more: object = {}): Answer => ({
  status: 400,
  body: { __type: `com.amazonaws.dynamodb.v20120810#${name}`, message: 'refused', ...more },
});

// The first call of a kind takes the path of the SDK, and each later call takes the thin path. The header
// `amz-sdk-request` shows the path of a request, because only the SDK's path sends it.
describe('the thin path of frequent AWS calls, with a server that records requests', () => {
  let server: LoopbackServer;
  const received: Received[] = [];
  const answers: Answer[] = [];
  beforeAll(async () => {
    server = await serveOnLoopback(async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
      received.push({
        method: request.method ?? '',
        path: request.url ?? '',
        headers: request.headers as Record<string, string>,
        body: Buffer.concat(chunks).toString(),
      });
      // A date would correct the clock of the SDK, which a test replaces.
      response.sendDate = false;
      const { status = 200, body } = answers.shift() ?? { body: {} };
      if (body === undefined) return void response.destroy();
      response.writeHead(status, { 'content-type': 'application/x-amz-json-1.0' }).end(JSON.stringify(body));
    });
    vi.stubEnv('AWS_ENDPOINT_URL', server.url);
    vi.stubEnv('AWS_REGION', 'eu-central-1');
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'access');
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'secret');
    vi.stubEnv('AWS_SESSION_TOKEN', 'session');
  });
  afterEach(() => {
    received.length = 0;
    answers.length = 0;
    takeAwsUse();
    vi.useRealTimers();
  });
  afterAll(async () => {
    vi.unstubAllEnvs();
    await server.stop();
  });

  const isThin = ({ headers }: Received): boolean => headers['amz-sdk-request'] === undefined;
  const getItem = () => new GetItemCommand({ TableName: 'table', Key: { pk: { S: 'ä' }, sk: { N: '1' } } });
  const putItem = () => new PutItemCommand({ TableName: 'table', Item: { pk: { S: 'a' } } });
  const sendBatch = (QueueUrl = `${server.url}/1/queue`) =>
    new SendMessageBatchCommand({ QueueUrl, Entries: [{ Id: '1', MessageBody: 'text', DelaySeconds: 5 }] });

  /** Returns the signature that the SDK's signer makes for a received request. */
  const signatureOf = async ({ method, path, headers, body }: Received): Promise<string | undefined> => {
    const [, service = '', names = ''] =
      /\/eu-central-1\/([^/]+)\/aws4_request, SignedHeaders=([^,]+)/.exec(headers.authorization ?? '') ?? [];
    const signed = Object.fromEntries(names.split(';').map((name) => [name, headers[name] ?? '']));
    const signer = new SignatureV4({
      service,
      region: 'eu-central-1',
      credentials: { accessKeyId: 'access', secretAccessKey: 'secret', sessionToken: 'session' },
      sha256: Sha256,
      applyChecksum: false,
    });
    const time = headers['x-amz-date'] ?? '';
    const signingDate = new Date(time.replace(/^(....)(..)(..T..)(..)(..Z)$/, '$1-$2-$3:$4:$5'));
    const request = new HttpRequest({ method, path, headers: signed, body, hostname: '127.0.0.1' });
    return (await signer.sign(request, { signingDate })).headers.authorization;
  };

  it.each([
    ['GetItem', () => dynamoClient(), getItem],
    ['SendMessageBatch', () => sqsClient(), sendBatch],
  ])(
    'sends the second %s with the body and the target of the first, signed as the SDK signs it',
    async (_, client, command) => {
      const sender = client() as unknown as { send(command: object): Promise<unknown> };

      await sender.send(command());
      await sender.send(command());

      const [first, second] = received as [Received, Received];
      expect([isThin(first), isThin(second)]).toEqual([false, true]);
      expect(JSON.parse(second.body)).toEqual(JSON.parse(first.body));
      for (const name of ['x-amz-target', 'content-type', 'host', 'user-agent', 'x-amz-security-token']) {
        expect([name, second.headers[name]]).toEqual([name, first.headers[name]]);
      }
      expect(second.headers.authorization).toBe(await signatureOf(second));
    },
  );

  it('derives a new signing key at midnight UTC', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: Date.parse('2026-03-01T23:59:59Z') });
    const client = dynamoClient();
    await client.send(getItem());
    await client.send(getItem());
    vi.setSystemTime(Date.parse('2026-03-02T00:00:01Z'));

    await client.send(getItem());

    const last = received.at(-1) as Received;
    expect(isThin(last)).toBe(true);
    expect(last.headers.authorization).toContain('/20260302/');
    expect(last.headers.authorization).toBe(await signatureOf(last));
  });

  it('returns what the path of the SDK returns: strings, numbers, sets, maps and keys that are left', async () => {
    const body = {
      Responses: { table: [{ pk: { S: 'ä' }, set: { SS: ['a', 'b'] }, map: { M: { n: { N: '1.5' } } } }] },
      UnprocessedKeys: { table: { Keys: [{ pk: { S: 'b' } }], ConsistentRead: true } },
    };
    answers.push({ body }, { body });
    const client = dynamoClient();
    const batchGet = () => new BatchGetItemCommand({ RequestItems: { table: { Keys: [{ pk: { S: 'ä' } }] } } });

    const { $metadata: _, ...first } = await client.send(batchGet());
    const { $metadata, ...second } = await client.send(batchGet());

    expect(received.map(isThin)).toEqual([false, true]);
    expect(second).toEqual(first);
    expect($metadata).toMatchObject({ httpStatusCode: 200, attempts: 1 });
  });

  it('throws the error of the SDK for a refused condition, with the row that the condition met', async () => {
    answers.push({ body: {} }, error('ConditionalCheckFailedException', { Item: { pk: { S: 'other' } } }));
    const client = dynamoClient();
    await client.send(putItem());

    const refusal = await client.send(putItem()).catch((cause: unknown) => cause);

    expect(refusal).toBeInstanceOf(ConditionalCheckFailedException);
    expect(refusal).toMatchObject({ Item: { pk: { S: 'other' } }, message: 'refused' });
    expect(received.map(isThin)).toEqual([false, true]);
  });

  it('retries a throttled call, and counts the throttled try', async () => {
    answers.push({ body: {} }, error('ProvisionedThroughputExceededException'), { body: { Item: { pk: { S: 'a' } } } });
    const client = dynamoClient();
    await client.send(getItem());

    const { Item } = await client.send(getItem());

    expect(Item).toEqual({ pk: { S: 'a' } });
    expect(received.map(isThin)).toEqual([false, true, true]);
    expect(takeAwsUse()).toMatchObject({ calls: { 'dynamodb.GetItem': 2 }, throttles: 1 });
  });

  it('with maxAttempts 1 throws the error of a throttled call after one try', async () => {
    answers.push({ body: {} }, error('ProvisionedThroughputExceededException'));
    const client = dynamoClient({ maxAttempts: 1 });
    await client.send(getItem());

    await expect(client.send(getItem())).rejects.toMatchObject({ name: 'ProvisionedThroughputExceededException' });

    expect(received).toHaveLength(2);
  });

  it('retries a call after the server closed its connection without an answer', async () => {
    answers.push({ body: {} }, {}, { body: { Item: { pk: { S: 'a' } } } });
    const client = dynamoClient();
    await client.send(getItem());

    const { Item } = await client.send(getItem());

    expect(Item).toEqual({ pk: { S: 'a' } });
    expect(received.map(isThin)).toEqual([false, true, true]);
  });

  it('sends the first message to each queue on the path of the SDK, to the path of that queue', async () => {
    const client = sqsClient();

    for (const name of ['one', 'two', 'one', 'two']) await client.send(sendBatch(`${server.url}/1/${name}`));

    expect(received.map(isThin)).toEqual([false, false, true, true]);
    expect(received.map(({ body }) => JSON.parse(body).QueueUrl)).toEqual(
      ['one', 'two', 'one', 'two'].map((name) => `${server.url}/1/${name}`),
    );
    expect(received[2]?.path).toBe(received[0]?.path);
  });

  it('is not learned from a refused call: the call after a refused first call takes the path of the SDK', async () => {
    answers.push(error('ResourceNotFoundException'));
    const client = dynamoClient();
    await expect(client.send(getItem())).rejects.toMatchObject({ name: 'ResourceNotFoundException' });

    await client.send(getItem());

    expect(received.map(isThin)).toEqual([false, false]);
  });

  it('is not taken by an input with bytes, which the SDK writes as base64', async () => {
    const client = dynamoClient();
    await client.send(putItem());

    const Item = { pk: { S: 'a' }, bytes: { B: new Uint8Array([1, 2, 3]) } };
    await client.send(new PutItemCommand({ TableName: 'table', Item }));

    expect(received.map(isThin)).toEqual([false, false]);
    expect(JSON.parse(received[1]?.body ?? '').Item.bytes).toEqual({ B: 'AQID' });
  });

  it('is not taken by calls that are not among the frequent ones or that are the first of their kind', async () => {
    const client = dynamoClient();
    await client.send(getItem());

    await client.send(new QueryCommand({ TableName: 'table', KeyConditionExpression: 'pk = :pk' }));

    expect(received.map(isThin)).toEqual([false, false]);
  });
});
