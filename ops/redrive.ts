import { createDeliveryQueue } from '../lambdas/adapters/deliveries/delivery-queue.ts';
import type { DeliveryTicket } from '../lambdas/domain/deliveries/delivery.ts';
import { isId, webhookOfDelivery } from '../lambdas/domain/foundation/id.ts';
import { type Command, type OptionValues, UsageError } from './command.ts';
import { ticketOfMessage } from './dead-letter.ts';
import { visitMessages } from './queue-messages.ts';

/**
 * Returns a predicate that selects the messages to redrive by their ticket. Throws `UsageError` unless exactly one of
 * the options webhook, delivery and all is given, with a valid id.
 */
const choice = ({ webhook, delivery, all }: OptionValues): ((ticket: DeliveryTicket) => boolean) => {
  if ([webhook, delivery, all].filter((value) => value !== undefined).length !== 1) {
    throw new UsageError('Exactly one of --webhook, --delivery and --all is required.');
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
  summary: 'send some or all dead letters to the deliveries queue again',
  details:
    'Each message is sent before it is deleted, so none is lost. The deliver function discards messages of settled deliveries,\nso redriving twice does no harm. Remove the cause first: otherwise the messages become dead letters again.',
  options: {
    webhook: { type: 'string', value: 'ID', description: 'redrive the dead letters of one webhook' },
    delivery: { type: 'string', value: 'ID', description: 'redrive the dead letter of one delivery' },
    all: { type: 'boolean', description: 'redrive all dead letters' },
  },
  prepare(values) {
    const isChosen = choice(values);
    return async ({ sqs, resources }) => {
      const queue = createDeliveryQueue(sqs, resources.deliveries, 1);
      let redriven = 0;
      const visited = await visitMessages(sqs, resources.deadLetters, Number.POSITIVE_INFINITY, async (messages) => {
        const chosen = messages.flatMap((message) => {
          const ticket = ticketOfMessage(message);
          return ticket && isChosen(ticket) ? [{ message, ticket }] : [];
        });
        const nowMs = Date.now();
        // Each ticket is made due now, even if its delivery is due later: deliver reads the delivery's row and sends
        // the message on.
        const tickets = chosen.map(({ ticket }) => ({ ...ticket, dueAtMs: Math.min(ticket.dueAtMs, nowMs) }));
        await queue.send(tickets, nowMs);
        redriven += chosen.length;
        return chosen.map(({ message }) => message);
      });
      const left = visited - redriven;
      return {
        data: { redriven, left },
        lines: [`Messages redriven: ${redriven}. Messages left in the dead-letter queue: ${left}.`],
      };
    };
  },
};
