import type { Command } from '../deliveries/command.ts';
import { newDelivery, type StoredDelivery, ticketOf } from '../deliveries/delivery.ts';
import type { StoredEvent } from '../events/event.ts';
import { type CommandDependencies, type CommandStore, carryOutCommand } from './run-command.ts';

/** A committed change: an event to fan out, or a command to run. `isStored`: the event's row exists already. */
export type Change =
  | { readonly kind: 'event'; readonly event: StoredEvent; readonly isStored: boolean }
  | { readonly kind: 'command'; readonly command: Command };

/** A webhook that subscribes to an event type, for one resource or (`null`) for all resources. */
export interface Subscriber {
  readonly webhookId: string;
  readonly resource: string | null;
  /** The customer of the account to whom the webhook belongs. */
  readonly customer: string | null;
}

export interface FanOutStore {
  /** Returns the subscribers of each event's type, in the order of the events. */
  subscribers(events: readonly StoredEvent[]): Promise<readonly (readonly Subscriber[])[]>;
  /** Adds the rows of events and deliveries that do not exist yet. Existing rows stay unchanged. */
  add(events: readonly StoredEvent[], deliveries: readonly StoredDelivery[], nowMs: number): Promise<void>;
}

export interface FanOutDependencies extends CommandDependencies {
  readonly store: FanOutStore & CommandStore;
  /**
   * The function that the fan-out calls once for each event with the number of the event's deliveries, after the
   * messages of these deliveries are sent.
   */
  readonly onFannedOut?: (deliveries: number) => void;
}

/**
 * The number of collected deliveries at which the fan-out writes their rows and sends their messages (a flush). The
 * fan-out can stop only before a change, not within a flush.
 */
const FLUSH_DELIVERIES = 500;

/**
 * Returns the ids of the webhooks that receive an event: every subscriber for all resources or for the event's
 * resource, except the webhook that the event is about. A test event goes only to the webhook that is tested.
 */
export const receiversOf = (event: StoredEvent, subscribers: readonly Subscriber[]): string[] => {
  if (event.test_of !== undefined) return [event.test_of];
  const webhookIds = subscribers
    .filter(({ resource }) => resource === null || resource === event.resource)
    .map(({ webhookId }) => webhookId);
  return [...new Set(webhookIds)].filter((webhookId) => webhookId !== event.about);
};

/**
 * Writes the event rows and delivery rows of committed changes, in order, and sends the deliveries' messages. Every step
 * may run twice, because ids are derived and existing rows stay unchanged. Returns how many changes are completely done;
 * that is fewer than all only if the time was up.
 */
export const fanOut = async (
  changes: readonly Change[],
  { store, queue, clock, onFannedOut }: FanOutDependencies,
  isTimeUp: () => boolean,
): Promise<number> => {
  const events = changes.flatMap((change) => (change.kind === 'event' ? [change.event] : []));
  const subscribers = new Map(
    events.length === 0 ? [] : (await store.subscribers(events)).map((found, index) => [events[index], found]),
  );

  let newEvents: StoredEvent[] = [];
  let deliveries: StoredDelivery[] = [];
  let deliveriesPerEvent: number[] = [];
  const flush = async (): Promise<void> => {
    if (newEvents.length > 0 || deliveries.length > 0) await store.add(newEvents, deliveries, clock());
    if (deliveries.length > 0) await queue.send(deliveries.map(ticketOf), clock());
    for (const count of deliveriesPerEvent) onFannedOut?.(count);
    newEvents = [];
    deliveries = [];
    deliveriesPerEvent = [];
  };

  let done = 0;
  for (const [index, change] of changes.entries()) {
    if (isTimeUp()) return done;
    if (change.kind === 'event') {
      if (!change.isStored) newEvents.push(change.event);
      const receivers = receiversOf(change.event, subscribers.get(change.event) ?? []);
      deliveriesPerEvent.push(receivers.length);
      deliveries.push(...receivers.map((webhookId) => newDelivery(change.event, webhookId)));
      if (deliveries.length < FLUSH_DELIVERIES) continue;
    }
    await flush();
    done = index;
    if (change.kind === 'command' && !(await carryOutCommand(change.command, { store, queue, clock }, isTimeUp)))
      return done;
    done = index + 1;
  }
  await flush();
  return changes.length;
};
