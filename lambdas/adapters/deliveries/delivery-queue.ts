import { setTimeout as sleep } from 'node:timers/promises';
import { SendMessageBatchCommand, type SendMessageBatchRequestEntry, type SQSClient } from '@aws-sdk/client-sqs';
import * as z from 'zod';
import type { DeliveryTicket } from '../../domain/deliveries/delivery.ts';
import { isId, webhookOfDelivery } from '../../domain/foundation/id.ts';

/** https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html: DelaySeconds is 0 to 900. */
const LONGEST_DELAY_SECONDS = 900;
const BATCH = 10;

/** Parts of keys: with one that is none the table refuses the whole call, and with it the messages beside this one. */
const keyPart = z.string().min(1).max(64);
const messageSchema = z
  .object({
    v: z.literal(1),
    d: keyPart.refine((text) => isId('dlv', text)),
    t: z.number(),
    o: keyPart,
    e: keyPart,
    r: z.number(),
  })
  .transform(({ d, t, o, e, r }): DeliveryTicket => ({ deliveryId: d, ticket: t, owner: o, eventId: e, dueAtMs: r }));

/** What a message says; throws where it is none of ours. */
export const ticketFromMessage = (body: string): DeliveryTicket => messageSchema.parse(JSON.parse(body));

export interface DeliveryQueue {
  /** Whether the queue can carry a wait until then; a longer one is parked. */
  carries(dueAtMs: number, nowMs: number): boolean;
  /** Sends each for its due time, never to arrive early. */
  send(tickets: readonly DeliveryTicket[], nowMs: number): Promise<void>;
}

const entryOf = (ticket: DeliveryTicket, index: number, nowMs: number): SendMessageBatchRequestEntry => {
  const delaySeconds = Math.max(0, Math.ceil((ticket.dueAtMs - nowMs) / 1000));
  if (delaySeconds > LONGEST_DELAY_SECONDS) throw new RangeError(`the queue cannot carry a wait of ${delaySeconds} s`);
  const { deliveryId: d, ticket: t, owner: o, eventId: e, dueAtMs: r } = ticket;
  return {
    Id: String(index),
    MessageBody: JSON.stringify({ v: 1, d, t, o, e, r }),
    // Fair queues: a webhook with many messages in flight does not delay the others'.
    MessageGroupId: webhookOfDelivery(d),
    ...(delaySeconds > 0 ? { DelaySeconds: delaySeconds } : {}),
  };
};

/** `speed` shortens the longest wait that is carried, as it shortens the waits themselves. */
export const createDeliveryQueue = (client: SQSClient, queueUrl: string, speed: number): DeliveryQueue => {
  const sendBatch = async (entries: SendMessageBatchRequestEntry[]): Promise<void> => {
    let open = entries;
    for (let tries = 1; ; tries++) {
      const { Failed = [] } = await client.send(new SendMessageBatchCommand({ QueueUrl: queueUrl, Entries: open }));
      if (Failed.length === 0) return;
      const failed = new Map(Failed.map((failure) => [failure.Id, failure]));
      const refused = Failed.find((failure) => failure.SenderFault);
      if (refused || tries === 5) throw new Error(`SQS did not take ${Failed.length} messages: ${Failed[0]?.Code}`);
      await sleep(25 * 2 ** tries * (0.5 + Math.random()));
      open = open.filter((entry) => failed.has(entry.Id));
    }
  };

  return {
    carries: (dueAtMs, nowMs) => dueAtMs - nowMs <= (LONGEST_DELAY_SECONDS * 1000) / speed,
    async send(tickets, nowMs) {
      const entries = tickets.map((ticket, index) => entryOf(ticket, index, nowMs));
      const batches: SendMessageBatchRequestEntry[][] = [];
      for (let i = 0; i < entries.length; i += BATCH) batches.push(entries.slice(i, i + BATCH));
      for (let i = 0; i < batches.length; i += 4) await Promise.all(batches.slice(i, i + 4).map(sendBatch));
    },
  };
};
