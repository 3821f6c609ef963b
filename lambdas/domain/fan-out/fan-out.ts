import type { Command } from '../deliveries/command.ts';
import { newDelivery, type StoredDelivery, ticketOf } from '../deliveries/delivery.ts';
import type { StoredEvent } from '../events/event.ts';
import { type CommandDependencies, type CommandStore, runCommand } from './run-command.ts';

/** A committed change that somebody may want to hear of. */
export type Change =
  | { readonly kind: 'event'; readonly event: StoredEvent; readonly isStored: boolean }
  | { readonly kind: 'command'; readonly command: Command };

/** A webhook that wants a type, and the one resource it wants it for, or null for all. */
export interface Subscriber {
  readonly webhookId: string;
  readonly resource: string | null;
}

export interface FanOutStore {
  /** Who wants each event's type, in the events' order. */
  subscribers(events: readonly StoredEvent[]): Promise<readonly (readonly Subscriber[])[]>;
  /** Adds rows that are not there yet and leaves those that are. */
  add(events: readonly StoredEvent[], deliveries: readonly StoredDelivery[], nowMs: number): Promise<void>;
}

export interface FanOutDependencies extends CommandDependencies {
  readonly store: FanOutStore & CommandStore;
  /** Hears how many deliveries an event came to, once they are on their way. */
  readonly onFannedOut?: (deliveries: number) => void;
}

/** So many rows are written and messages sent before the next event is looked at: an invocation that must stop stops between them. */
const DELIVERIES_AT_ONCE = 500;

/** Whom an event goes to: each webhook that wants the type, for every resource or for this one, but not the one it is about; a sample to the one it is for. */
export const receiversOf = (event: StoredEvent, subscribers: readonly Subscriber[]): string[] => {
  if (event.test_of !== undefined) return [event.test_of];
  const webhookIds = subscribers
    .filter(({ resource }) => resource === null || resource === event.resource)
    .map(({ webhookId }) => webhookId);
  return [...new Set(webhookIds)].filter((webhookId) => webhookId !== event.about);
};

/**
 * Turns committed changes into what they owe, in order: event rows, delivery rows, then messages. Every step may run
 * twice: ids are derived and rows that are there are left alone. Answers how many changes are wholly done; fewer than
 * all only when the time is up.
 */
export const fanOut = async (
  changes: readonly Change[],
  { store, queue, clock, onFannedOut }: FanOutDependencies,
  isTimeUp: () => boolean,
): Promise<number> => {
  const events = changes.flatMap((change) => (change.kind === 'event' ? [change.event] : []));
  const subscribers = new Map(
    events.length === 0 ? [] : (await store.subscribers(events)).map((routes, index) => [events[index], routes]),
  );

  let newEvents: StoredEvent[] = [];
  let deliveries: StoredDelivery[] = [];
  let sizes: number[] = [];
  const flush = async (): Promise<void> => {
    if (newEvents.length > 0 || deliveries.length > 0) await store.add(newEvents, deliveries, clock());
    if (deliveries.length > 0) await queue.send(deliveries.map(ticketOf), clock());
    for (const size of sizes) onFannedOut?.(size);
    newEvents = [];
    deliveries = [];
    sizes = [];
  };

  let done = 0;
  for (const [index, change] of changes.entries()) {
    if (isTimeUp()) return done;
    if (change.kind === 'event') {
      if (!change.isStored) newEvents.push(change.event);
      const receivers = receiversOf(change.event, subscribers.get(change.event) ?? []);
      sizes.push(receivers.length);
      deliveries.push(...receivers.map((webhookId) => newDelivery(change.event, webhookId)));
      if (deliveries.length < DELIVERIES_AT_ONCE) continue;
    }
    await flush();
    done = index;
    if (change.kind === 'command' && !(await runCommand(change.command, { store, queue, clock }, isTimeUp)))
      return done;
    done = index + 1;
  }
  await flush();
  return changes.length;
};
