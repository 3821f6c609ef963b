import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { batchGet } from '../lambdas/adapters/aws/batch-get.ts';
import { ticketFromMessage } from '../lambdas/adapters/deliveries/delivery-queue.ts';
import { deliveryKey } from '../lambdas/adapters/rows/table-keys.ts';
import {
  type DeliveryTicket,
  isHeld,
  isWaiting,
  type StoredDelivery,
  storedDeliverySchema,
} from '../lambdas/domain/deliveries/delivery.ts';
import { webhookOfDelivery } from '../lambdas/domain/foundation/id.ts';
import type { QueueMessage } from './queue-messages.ts';

/** A message of the dead-letter queue with the state of its delivery. Contains no body, no header value and no URL. */
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

/** Returns the delivery ticket that a queue's message carries; `null` if PassPost did not write the message. */
export const ticketOfMessage = ({ body }: Pick<QueueMessage, 'body'>): DeliveryTicket | null => {
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

const reasonOf = (ticket: DeliveryTicket | null, delivery: StoredDelivery | 'unreadable' | null): string => {
  if (!ticket) return 'PassPost did not write this message: redrive leaves it in the queue';
  if (delivery === 'unreadable') return 'this version cannot read the row of its delivery';
  if (!delivery) return 'its delivery was deleted or has expired: redrive makes deliver discard the message';
  const { status, attempts_made } = delivery;
  if (isHeld(delivery)) return 'its webhook is disabled: enabling the webhook releases the delivery';
  if (!isWaiting(delivery)) {
    return `its delivery is settled (${status}): redrive makes deliver discard the message`;
  }
  if (delivery.ticket !== ticket.ticket) {
    return 'a newer message carries this delivery: redrive makes deliver discard this one';
  }
  return `attempt ${attempts_made + 1} is due and was never recorded: PassPost failed, search the log of deliver for the id`;
};

/** Reads the deliveries of these messages in one batch. Returns each message with the state of its delivery. */
export const readDeadLetters = async (
  dynamo: DynamoDBClient,
  deliveryTable: string,
  messages: readonly QueueMessage[],
): Promise<DeadLetter[]> => {
  const tickets = messages.map(ticketOfMessage);
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
      reason: reasonOf(ticket, row),
    };
  });
};
