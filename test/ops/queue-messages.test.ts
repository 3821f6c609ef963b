import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { startFauxqs } from 'fauxqs';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { depthOf, type QueueMessage, visitMessages } from '../../ops/queue-messages.ts';

describe('visitMessages', () => {
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

  it('receives each message once and makes all of them visible again', async () => {
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

  it('receives no more messages than the limit', async () => {
    expect(await visitMessages(sqs, url, 11, async () => [])).toBe(11);
  });

  it('deletes only the messages that the callback returns', async () => {
    await visitMessages(sqs, url, 100, async (messages) => messages.filter(({ body }) => Number(body) % 2 === 0));
    const remaining: string[] = [];
    await visitMessages(sqs, url, 100, async (messages) => {
      remaining.push(...messages.map(({ body }) => body));
      return [];
    });

    expect(remaining.toSorted()).toEqual(['1', '11', '3', '5', '7', '9']);
  });

  it('makes all messages visible again when the callback throws', async () => {
    const visit = visitMessages(sqs, url, 100, () => Promise.reject(new Error('killed')));

    await expect(visit).rejects.toThrow('killed');
    expect(await depthOf(sqs, url)).toEqual({ waiting: 12, in_flight: 0, delayed: 0 });
  });
});
