import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { startFauxqs } from 'fauxqs';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { depthOf, goThrough, type QueueMessage } from '../../ops/queue-messages.ts';

describe('going through a queue', () => {
  let server: Awaited<ReturnType<typeof startFauxqs>>;
  let sqs: SQSClient;
  let url: string;
  let queues = 0;
  beforeAll(async () => {
    server = await startFauxqs({ port: 0, logger: false });
    sqs = new SQSClient({
      endpoint: `http://127.0.0.1:${server.port}`,
      region: 'us-east-1',
      credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    });
  });
  beforeEach(async () => {
    const name = `queue-${++queues}`;
    server.createQueue(name);
    url = `http://127.0.0.1:${server.port}/000000000000/${name}`;
    for (let n = 0; n < 12; n++) await sqs.send(new SendMessageCommand({ QueueUrl: url, MessageBody: String(n) }));
  });
  afterAll(async () => {
    sqs.destroy();
    await server.stop();
  });

  it('looks at each message once, and leaves all as if nobody had looked', async () => {
    const seen: QueueMessage[] = [];

    const looked = await goThrough(sqs, url, 100, async (messages) => {
      seen.push(...messages);
      return [];
    });

    expect(looked).toBe(12);
    expect(new Set(seen.map(({ body }) => body)).size).toBe(12);
    expect(seen[0]).toMatchObject({
      receiveCount: 1,
      sentAtMs: expect.any(Number),
      firstReceivedAtMs: expect.any(Number),
    });
    expect(await depthOf(sqs, url)).toEqual({ waiting: 12, in_flight: 0, delayed: 0 });
  });

  it('looks at no more than it was told', async () => {
    expect(await goThrough(sqs, url, 11, async () => [])).toBe(11);
  });

  it('deletes what it is said to be done with, and nothing else', async () => {
    await goThrough(sqs, url, 100, async (messages) => messages.filter(({ body }) => Number(body) % 2 === 0));
    const left: string[] = [];
    await goThrough(sqs, url, 100, async (messages) => {
      left.push(...messages.map(({ body }) => body));
      return [];
    });

    expect(left.toSorted()).toEqual(['1', '11', '3', '5', '7', '9']);
  });

  it('loses nothing when the work dies', async () => {
    const work = goThrough(sqs, url, 100, () => Promise.reject(new Error('killed')));

    await expect(work).rejects.toThrow('killed');
    expect(await depthOf(sqs, url)).toEqual({ waiting: 12, in_flight: 0, delayed: 0 });
  });
});
