import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { batchGet } from '../lambdas/adapters/aws/batch-get.ts';
import { ticketFromMessage } from '../lambdas/adapters/deliveries/delivery-queue.ts';
import { deliveryKey } from '../lambdas/adapters/rows/table-keys.ts';
import {
  type DeliveryTicket,
  type StoredDelivery,
  storedDeliverySchema,
} from '../lambdas/domain/deliveries/delivery.ts';
import { webhookOfDelivery } from '../lambdas/domain/foundation/id.ts';
import type { QueueMessage } from './queue-messages.ts';

/** A message that could not be worked on, with what is known of its delivery. No body, no header value, no URL. */
export interface DeadLetter {
  readonly message_id: string;
  readonly delivery_id: string | null;
  readonly event_id: string | null;
  readonly webhook_id: string | null;
  readonly event_type: string | null;
  readonly status: string | null;
  readonly last_attempt: {
    readonly number: number;
    readonly at: string;
    readonly http_status: number | null;
    readonly error: string | null;
  } | null;
  readonly receive_count: number;
  readonly sent_at: string;
  readonly first_received_at: string;
  readonly reason: string;
}

export const ticketIn = ({ body }: Pick<QueueMessage, 'body'>): DeliveryTicket | null => {
  try {
    return ticketFromMessage(body);
  } catch {
    return null;
  }
};

const lastAttempt = ({ last }: StoredDelivery): DeadLetter['last_attempt'] =>
  last && {
    number: last.number,
    at: new Date(last.started_at).toISOString(),
    http_status: last.http_status,
    error: last.error?.code ?? null,
  };

const whyThere = (ticket: DeliveryTicket | null, delivery: StoredDelivery | 'unreadable' | null): string => {
  if (!ticket) return 'it is no message of ours: redriving leaves it';
  if (delivery === 'unreadable') return 'its row is none that this version reads';
  if (!delivery) return 'its delivery is gone, deleted or expired: redriven, it is discarded';
  const { status, attempts_made } = delivery;
  if (status === 'held') return 'its webhook is disabled: it goes on when that is enabled';
  if (status !== 'pending' && status !== 'failed') return `settled meanwhile (${status}): redriven, it is discarded`;
  if (delivery.ticket !== ticket.ticket) return 'another message carries what is owed: redriven, it is discarded';
  return `attempt ${attempts_made + 1} is owed and was never recorded: a failure of our own, see the log of deliver for its id`;
};

/** Looks up what each message is about, in one read. */
export const deadLettersOf = async (
  dynamo: DynamoDBClient,
  deliveryTable: string,
  messages: readonly QueueMessage[],
): Promise<DeadLetter[]> => {
  const tickets = messages.map(ticketIn);
  const find = await batchGet(
    dynamo,
    tickets.flatMap((ticket) =>
      ticket ? [{ table: deliveryTable, key: deliveryKey(ticket.deliveryId), isConsistent: true }] : [],
    ),
  );
  const rowOf = (ticket: DeliveryTicket | null): StoredDelivery | 'unreadable' | null => {
    const row = ticket && find(deliveryTable, deliveryKey(ticket.deliveryId));
    if (!row) return null;
    const parsed = storedDeliverySchema.safeParse(row);
    return parsed.success ? parsed.data : 'unreadable';
  };
  return messages.map((message, index) => {
    const ticket = tickets[index] ?? null;
    const row = rowOf(ticket);
    const delivery = row === 'unreadable' ? null : row;
    return {
      message_id: message.id,
      delivery_id: ticket?.deliveryId ?? null,
      event_id: ticket?.eventId ?? null,
      webhook_id: ticket && webhookOfDelivery(ticket.deliveryId),
      event_type: delivery?.event_type ?? null,
      status: delivery?.status ?? null,
      last_attempt: delivery && lastAttempt(delivery),
      receive_count: message.receiveCount,
      sent_at: new Date(message.sentAtMs).toISOString(),
      first_received_at: new Date(message.firstReceivedAtMs).toISOString(),
      reason: whyThere(ticket, row),
    };
  });
};
