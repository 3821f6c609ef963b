import { createDeliveryQueue } from '../lambdas/adapters/deliveries/delivery-queue.ts';
import type { DeliveryTicket } from '../lambdas/domain/deliveries/delivery.ts';
import { isId, webhookOfDelivery } from '../lambdas/domain/foundation/id.ts';
import { type Command, type Given, UsageError } from './command.ts';
import { ticketIn } from './dead-letter.ts';
import { goThrough } from './queue-messages.ts';

/** Which messages are meant; exactly one of the three flags says so. */
const choice = ({ webhook, delivery, all }: Given): ((ticket: DeliveryTicket) => boolean) => {
  if ([webhook, delivery, all].filter((value) => value !== undefined).length !== 1) {
    throw new UsageError('One of --webhook, --delivery and --all is needed.');
  }
  if (webhook !== undefined) {
    if (!isId('whk', String(webhook))) throw new UsageError(`--webhook takes a webhook's id, whk_…, not "${webhook}".`);
    return ({ deliveryId }) => webhookOfDelivery(deliveryId) === webhook;
  }
  if (delivery !== undefined) {
    if (!isId('dlv', String(delivery))) {
      throw new UsageError(`--delivery takes a delivery's id, dlv_…, not "${delivery}".`);
    }
    return ({ deliveryId }) => deliveryId === delivery;
  }
  return () => true;
};

export const redrive: Command = {
  summary: 'send dead letters to the deliveries queue again, all or some',
  details:
    'Each is sent before it is deleted, so none is lost; what was settled meanwhile is discarded on arrival, so redriving\ntwice does no harm. Remove the cause first, or they come back.',
  options: {
    webhook: { type: 'string', value: 'ID', says: "one webhook's" },
    delivery: { type: 'string', value: 'ID', says: "one delivery's" },
    all: { type: 'boolean', says: 'all of them' },
  },
  prepare(given) {
    const isMeant = choice(given);
    return async ({ sqs, resources }) => {
      const queue = createDeliveryQueue(sqs, resources.deliveries, 1);
      let redriven = 0;
      const looked = await goThrough(sqs, resources.deadLetters, Number.POSITIVE_INFINITY, async (messages) => {
        const meant = messages.flatMap((message) => {
          const ticket = ticketIn(message);
          return ticket && isMeant(ticket) ? [{ message, ticket }] : [];
        });
        const nowMs = Date.now();
        // However far off it was due: deliver looks at its row and sends it on.
        const tickets = meant.map(({ ticket }) => ({ ...ticket, dueAtMs: Math.min(ticket.dueAtMs, nowMs) }));
        await queue.send(tickets, nowMs);
        redriven += meant.length;
        return meant.map(({ message }) => message);
      });
      const left = looked - redriven;
      return {
        data: { redriven, left },
        lines: [`Redriven: ${redriven}. Left in the dead letters: ${left}.`],
      };
    };
  },
};
