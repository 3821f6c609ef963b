import {
  type BatchResultErrorEntry,
  SendMessageBatchCommand,
  type SendMessageBatchRequestEntry,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import * as z from 'zod';
import type { DeliveryTicket } from '../../domain/deliveries/delivery.ts';
import { isId } from '../../domain/foundation/id.ts';
import { accountOf } from '../../domain/foundation/owner.ts';
import { SECOND_MS, toSeconds } from '../../domain/foundation/time.ts';
import { inBatches, retryRemaining } from '../aws/retry.ts';

/**
 * The longest delay of an SQS message, in seconds.
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
 */
const MAX_DELAY_SECONDS = 900;
const BATCH = 10;

/**
 * The schema of a text in a queue message that becomes a part of a table key: 1 to 64 characters. An empty part would
 * make DynamoDB reject the whole call, and the other messages of the batch would fail, too.
 */
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

/**
 * Returns the `DeliveryTicket` that the text of a queue message holds. One-letter names in the text save billed bytes:
 * `d` delivery id, `t` `ticket`, `o` owner, `e` event id, `r` due time in milliseconds, `v` version. Throws if the text
 * holds no `DeliveryTicket`.
 */
export const ticketFromMessage = (body: string): DeliveryTicket => messageSchema.parse(JSON.parse(body));

export interface DeliveryQueue {
  /**
   * Returns whether the wait until the due time fits into an SQS delay. A delivery that waits longer is parked in the
   * due index.
   */
  carries(dueAtMs: number, nowMs: number): boolean;
  /**
   * Sends a message for each ticket, delayed so that it arrives at the due time or later, never earlier. `isBulk`: the
   * messages belong to a recovery or a release, which may send 100,000; they wait behind other messages of the account.
   */
  send(tickets: readonly DeliveryTicket[], nowMs: number, isBulk?: boolean): Promise<void>;
}

const entryOf = (
  ticket: DeliveryTicket,
  index: number,
  nowMs: number,
  isBulk: boolean,
): SendMessageBatchRequestEntry => {
  const delaySeconds = Math.max(0, toSeconds(ticket.dueAtMs - nowMs));
  if (delaySeconds > MAX_DELAY_SECONDS) throw new RangeError(`SQS cannot delay a message by ${delaySeconds} s`);
  const { deliveryId: d, ticket: t, owner: o, eventId: e, dueAtMs: r } = ticket;
  return {
    Id: String(index),
    MessageBody: JSON.stringify({ v: 1, d, t, o, e, r }),
    // In an SQS fair queue, messages of one busy account (message group) do not delay the messages of other accounts. The
    // group is not the webhook, because an account with many webhooks would then have a larger share. A recovery has a group
    // of its own, so that it does not delay the account's new deliveries.
    MessageGroupId: isBulk ? `${accountOf(o)}#bulk` : accountOf(o),
    ...(delaySeconds > 0 ? { DelaySeconds: delaySeconds } : {}),
  };
};

/**
 * Creates a queue of tickets. `speed` divides the longest wait that the queue carries, as it divides the waits of the
 * schedules.
 */
export const createDeliveryQueue = (client: SQSClient, queueUrl: string, speed: number): DeliveryQueue => {
  const sendBatch = (entries: readonly SendMessageBatchRequestEntry[]): Promise<void> => {
    let failures: readonly BatchResultErrorEntry[] = [];
    const notAccepted = () => new Error(`SQS did not accept ${failures.length} messages: ${failures[0]?.Code}`);
    const sendOnce = async (open: readonly SendMessageBatchRequestEntry[]) => {
      const { Failed = [] } = await client.send(
        new SendMessageBatchCommand({ QueueUrl: queueUrl, Entries: [...open] }),
      );
      failures = Failed;
      if (Failed.some(({ SenderFault }) => SenderFault)) throw notAccepted();
      const failedIds = new Set(Failed.map(({ Id }) => Id));
      return open.filter(({ Id }) => failedIds.has(Id));
    };
    return retryRemaining(entries, sendOnce, notAccepted);
  };

  return {
    carries: (dueAtMs, nowMs) => dueAtMs - nowMs <= (MAX_DELAY_SECONDS * SECOND_MS) / speed,
    async send(tickets, nowMs, isBulk = false) {
      const entries = tickets.map((ticket, index) => entryOf(ticket, index, nowMs, isBulk));
      await inBatches(entries, BATCH, sendBatch);
    },
  };
};
