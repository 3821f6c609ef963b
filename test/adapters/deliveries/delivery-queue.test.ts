import { ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { startFauxqs } from 'fauxqs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDeliveryQueue, ticketFromMessage } from '../../../lambdas/adapters/deliveries/delivery-queue.ts';
import { deliveryId, drawId } from '../../../lambdas/domain/foundation/id.ts';

describe('the delivery queue', () => {
  let server: Awaited<ReturnType<typeof startFauxqs>>;
  let client: SQSClient;
  let queueUrl: string;
  beforeAll(async () => {
    server = await startFauxqs({ port: 0, logger: false });
    client = new SQSClient({
      endpoint: `http://127.0.0.1:${server.port}`,
      region: 'us-east-1',
      credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    });
    const { queueUrl: url } = server.createQueue('deliveries');
    queueUrl = url ?? `http://127.0.0.1:${server.port}/000000000000/deliveries`;
  });
  afterAll(async () => {
    client.destroy();
    await server.stop();
  });

  const aTicket = (dueAtMs: number) => ({
    deliveryId: deliveryId(1, drawId('evt', 1), drawId('whk', 1)),
    ticket: 3,
    owner: 'acc_1#live',
    eventId: 'evt_1',
    dueAtMs,
  });

  it('sends the messages of a recovery in a message group of their own, so that they wait behind the new deliveries of the account', async () => {
    const groups: unknown[] = [];
    const requests = new SQSClient({ endpoint: queueUrl, region: 'us-east-1', maxAttempts: 1 });
    requests.middlewareStack.add(
      () => async (args) => {
        const { Entries = [] } = args.input as { Entries?: { MessageGroupId?: string }[] };
        groups.push(...Entries.map(({ MessageGroupId }) => MessageGroupId));
        return { output: { $metadata: {} }, response: {} };
      },
      { step: 'initialize' },
    );
    const queue = createDeliveryQueue(requests, queueUrl, 1);

    await queue.send([aTicket(0)], 5000);
    await queue.send([aTicket(0), aTicket(0)], 5000, true);

    expect(groups).toEqual(['acc_1', 'acc_1#bulk', 'acc_1#bulk']);
  });

  it('sends 23 tickets that are received unchanged, each with the id of its account as message group, although each has another webhook', async () => {
    const queue = createDeliveryQueue(client, queueUrl, 1);
    const tickets = Array.from({ length: 23 }, () => aTicket(0));
    const groups: unknown[] = [];
    client.middlewareStack.add(
      (next) => (args) => {
        const { Entries = [] } = args.input as { Entries?: { MessageGroupId?: string }[] };
        groups.push(...Entries.map(({ MessageGroupId }) => MessageGroupId));
        return next(args);
      },
      { step: 'initialize' },
    );

    await queue.send(tickets, 5000);

    // The local queue loses the groups of a batch, so the test reads them from the requests.
    expect(groups).toEqual(tickets.map(() => 'acc_1'));
    expect(new Set(tickets.map(({ deliveryId }) => deliveryId.slice(30))).size).toBe(23);
    const received = [];
    while (received.length < 23) {
      const { Messages = [] } = await client.send(
        new ReceiveMessageCommand({ QueueUrl: queueUrl, MaxNumberOfMessages: 10 }),
      );
      received.push(...Messages);
    }
    const byId = new Map(tickets.map((ticket) => [ticket.deliveryId, ticket]));
    for (const { Body = '' } of received) {
      const ticket = ticketFromMessage(Body);
      expect(ticket).toEqual(byId.get(ticket.deliveryId));
    }
  });

  it('`carries` is true for 900 s and false for 1 ms more, and `send` throws for a wait of 900.001 s', async () => {
    const queue = createDeliveryQueue(client, queueUrl, 1);

    expect(queue.carries(900_000, 0)).toBe(true);
    expect(queue.carries(900_001, 0)).toBe(false);
    await expect(queue.send([aTicket(900_001)], 0)).rejects.toThrow('901 s');
    await expect(queue.send([aTicket(899_001)], 0)).resolves.toBeUndefined();
  });

  it('with speed 60, `carries` returns true for a message due in 15 s (900 s, the longest delay of SQS, divided by 60) and false for one due in 15.001 s', () => {
    const queue = createDeliveryQueue(client, queueUrl, 60);

    expect(queue.carries(15_000, 0)).toBe(true);
    expect(queue.carries(15_001, 0)).toBe(false);
  });
});
