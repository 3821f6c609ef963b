import type { DeliveryTicket } from '../../lambdas/domain/deliveries/delivery.ts';

/** The longest delay of an SQS message. */
const MAX_DELAY_MS = 900_000;

export interface Message {
  readonly id: number;
  readonly ticket: DeliveryTicket;
  visibleAtMs: number;
  receives: number;
}

/** A queue under virtual time. Like SQS it delays messages by whole seconds and rejects a delay of more than 900 s. */
export const createVirtualQueue = (faults: { send: number }) => {
  const messages = new Set<Message>();
  let sentCount = 0;
  const queue = {
    carries: (dueAtMs: number, atMs: number) => dueAtMs - atMs <= MAX_DELAY_MS,
    async send(tickets: readonly DeliveryTicket[], atMs: number) {
      if (faults.send > 0) {
        faults.send--;
        throw new Error('the queue rejects the messages');
      }
      for (const ticket of tickets) {
        const delayMs = Math.max(0, Math.ceil((ticket.dueAtMs - atMs) / 1000)) * 1000;
        if (delayMs > MAX_DELAY_MS) throw new RangeError(`a delay of ${delayMs / 1000} s`);
        messages.add({ id: sentCount++, ticket, visibleAtMs: atMs + delayMs, receives: 0 });
      }
    },
  };
  return { messages, queue };
};
