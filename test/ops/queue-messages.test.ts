import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { startFauxqs } from 'fauxqs';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { depthOf, type QueueMessage, visitMessages } from '../../ops/queue-messages.ts';

describe('visitMessages on a queue of 12 messages', () => {
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

  it('passes each message once to the callback, returns 12, and makes all messages visible again', async () => {
    const seen: QueueMessage[] = [];

    const visited = await visitMessages(sqs, url, 100, async (messages) => {
      seen.push(...messages);
      return [];
    });

    expect(visited).toBe(12);
    expect(new Set(seen.map(({ body }) => body)).size).toBe(12);
    expect(seen[0]).toMatchObject({
      receiveCount: 1,
      sentAtMs: expect.any(Number),
      firstReceivedAtMs: expect.any(Number),
    });
    expect(await depthOf(sqs, url)).toEqual({ waiting: 12, in_flight: 0, delayed: 0 });
  });

  it('returns 11 as the number of visited messages when the limit is 11', async () => {
    expect(await visitMessages(sqs, url, 11, async () => [])).toBe(11);
  });

  it('deletes the six messages that the callback returns and leaves the other six in the queue', async () => {
    await visitMessages(sqs, url, 100, async (messages) => messages.filter(({ body }) => Number(body) % 2 === 0));
    const remaining: string[] = [];
    await visitMessages(sqs, url, 100, async (messages) => {
      remaining.push(...messages.map(({ body }) => body));
      return [];
    });

    expect(remaining.toSorted()).toEqual(['1', '11', '3', '5', '7', '9']);
  });

  it('rejects with the callback’s error and makes all 12 messages visible again', async () => {
    const visit = visitMessages(sqs, url, 100, () => Promise.reject(new Error('killed')));

    await expect(visit).rejects.toThrow('killed');
    expect(await depthOf(sqs, url)).toEqual({ waiting: 12, in_flight: 0, delayed: 0 });
  });
});
