import { ReceiveMessageCommand, SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { startFauxqs } from 'fauxqs';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ticketFromMessage } from '../../lambdas/adapters/deliveries/delivery-queue.ts';
import { deliveryId, drawId } from '../../lambdas/domain/foundation/id.ts';
import type { Deployment } from '../../ops/deployment.ts';
import { depthOf } from '../../ops/queue-messages.ts';
import { redrive } from '../../ops/redrive.ts';

const [webhook, other] = [drawId('whk', 1), drawId('whk', 2)];
const dueAtMs = Date.now() + 7 * 86_400_000;
const messageOf = (webhookId: string): string =>
  JSON.stringify({
    v: 1,
    d: deliveryId(1, drawId('evt', 1), webhookId),
    t: 3,
    o: 'acc_1#live',
    e: 'evt_1',
    r: dueAtMs,
  });

describe('redrive of a dead-letter queue with three tickets and one unparseable message', () => {
  let server: Awaited<ReturnType<typeof startFauxqs>>;
  let sqs: SQSClient;
  let round = 0;
  const urlOf = (name: string): string => `http://127.0.0.1:${server.port}/000000000000/${name}-${round}`;
  beforeAll(async () => {
    server = await startFauxqs({ port: 0, logger: false });
    sqs = new SQSClient({
      endpoint: `http://127.0.0.1:${server.port}`,
      region: 'us-east-1',
      maxAttempts: 1,
      credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    });
  });
  beforeEach(async () => {
    round++;
    for (const name of ['dead', 'deliveries']) server.createQueue(`${name}-${round}`);
    for (const body of [messageOf(webhook), messageOf(webhook), messageOf(other), 'not a ticket']) {
      await sqs.send(new SendMessageCommand({ QueueUrl: urlOf('dead'), MessageBody: body }));
    }
  });
  afterAll(async () => {
    sqs.destroy();
    await server.stop();
  });

  const perform = (values: Parameters<typeof redrive.prepare>[0], deliveries = urlOf('deliveries')) =>
    redrive.prepare(values)({ sqs, resources: { deadLetters: urlOf('dead'), deliveries } } as unknown as Deployment);
  const depths = async () => [
    (await depthOf(sqs, urlOf('dead'))).waiting,
    (await depthOf(sqs, urlOf('deliveries'))).waiting,
  ];

  it('--webhook sends that webhook’s two messages with their ticket and event id and without a delay, and leaves two messages', async () => {
    const { data } = await perform({ webhook });

    const { Messages = [] } = await sqs.send(
      new ReceiveMessageCommand({ QueueUrl: urlOf('deliveries'), MaxNumberOfMessages: 10 }),
    );
    expect(data).toEqual({ redriven: 2, left: 2 });
    expect(Messages.map(({ Body = '' }) => ticketFromMessage(Body))).toMatchObject([
      { ticket: 3, eventId: 'evt_1' },
      { ticket: 3, eventId: 'evt_1' },
    ]);
  });

  it('--all moves the three tickets to the deliveries queue and leaves the unparseable message', async () => {
    expect((await perform({ all: true })).data).toEqual({ redriven: 3, left: 1 });
    expect(await depths()).toEqual([1, 3]);
  });

  it('rejects and deletes no message when the deliveries queue does not exist', async () => {
    await expect(perform({ all: true }, urlOf('missing'))).rejects.toThrow();

    expect(await depths()).toEqual([4, 0]);
  });
});
