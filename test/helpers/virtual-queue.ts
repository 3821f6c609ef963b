import type { DeliveryTicket } from '../../lambdas/domain/deliveries/delivery.ts';

const LONGEST_DELAY_MS = 900_000;

export interface Message {
  readonly id: number;
  readonly ticket: DeliveryTicket;
  visibleAtMs: number;
  receives: number;
}

/** A queue that holds messages until their second has come, and no longer than AWS's would. */
export const createVirtualQueue = (faults: { send: number }) => {
  const messages = new Set<Message>();
  let sent = 0;
  const queue = {
    carries: (dueAtMs: number, atMs: number) => dueAtMs - atMs <= LONGEST_DELAY_MS,
    async send(tickets: readonly DeliveryTicket[], atMs: number) {
      if (faults.send > 0) {
        faults.send--;
        throw new Error('the queue takes nothing');
      }
      for (const ticket of tickets) {
        const delayMs = Math.max(0, Math.ceil((ticket.dueAtMs - atMs) / 1000)) * 1000;
        if (delayMs > LONGEST_DELAY_MS) throw new RangeError(`a delay of ${delayMs / 1000} s`);
        messages.add({ id: sent++, ticket, visibleAtMs: atMs + delayMs, receives: 0 });
      }
    },
  };
  return { messages, queue };
};
