import { type Command, type EraseCommand, eraseCommand } from './command.ts';
import type { DeliveryTicket, StoredDelivery } from './delivery.ts';
import type { StoredEvent } from './event.ts';
import { deliveryId } from './id.ts';

/** A committed change that somebody may want to hear of. */
export type Change =
  | { readonly kind: 'event'; readonly event: StoredEvent; readonly isStored: boolean }
  | { readonly kind: 'command'; readonly command: Command };

/** A webhook that wants a type, and the one resource it wants it for, or null for all. */
export interface Wanting {
  readonly webhookId: string;
  readonly resource: string | null;
}

export interface FanOutStore {
  /** Who wants each event's type, in the events' order. */
  wanting(events: readonly StoredEvent[]): Promise<readonly (readonly Wanting[])[]>;
  /** Adds rows that are not there yet and leaves those that are. */
  add(events: readonly StoredEvent[], deliveries: readonly StoredDelivery[]): Promise<void>;
  /** Lets some of a webhook's held deliveries go on, due now. Answers what now awaits its message, and whether more are held. */
  resumeHeld(webhookId: string, nowMs: number): Promise<{ tickets: readonly DeliveryTicket[]; hasMore: boolean }>;
  /** Takes some of a webhook's deliveries away, with their attempts. Answers whether more are there. */
  eraseSome(webhookId: string): Promise<{ readonly hasMore: boolean }>;
  /** Asks for more work by a row, once, however often. */
  addCommand(command: Command, nowMs: number): Promise<void>;
}

export interface FanOutDependencies {
  readonly store: FanOutStore;
  readonly queue: { send(tickets: readonly DeliveryTicket[], nowMs: number): Promise<void> };
  readonly clock: () => number;
}

/** So many rows are written and messages sent before the next event is looked at: an invocation that must stop stops between them. */
const DELIVERIES_AT_ONCE = 500;

/** What an event owes a webhook, before anything was tried. */
export const newDelivery = (event: StoredEvent, webhookId: string): StoredDelivery => {
  const createdAtMs = Date.parse(event.created_at);
  return {
    id: deliveryId(createdAtMs, event.id, webhookId),
    owner: event.owner,
    event_id: event.id,
    event_type: event.type,
    status: 'pending',
    ticket: 1,
    step: 0,
    attempts_made: 0,
    trigger: 'schedule',
    due_at: createdAtMs,
    parked: false,
    has_slot: false,
    settled_at: null,
    last: null,
  };
};

export const ticketOf = (delivery: StoredDelivery): DeliveryTicket => ({
  deliveryId: delivery.id,
  ticket: delivery.ticket,
  owner: delivery.owner,
  eventId: delivery.event_id,
  dueAtMs: delivery.due_at,
});

/** The deliveries that events owe: one for each webhook that wants the type, for every resource or for this one. */
const owedFor = (event: StoredEvent, wanting: readonly Wanting[]): StoredDelivery[] => {
  const webhookIds = wanting
    .filter(({ resource }) => resource === null || resource === event.resource)
    .map(({ webhookId }) => webhookId);
  return [...new Set(webhookIds)].map((webhookId) => newDelivery(event, webhookId));
};

/**
 * Turns committed changes into what they owe, in order: event rows, delivery rows, then messages. Every step may run
 * twice: ids are derived and rows that are there are left alone. Answers how many changes are wholly done; fewer than
 * all only when the time is up.
 */
export const fanOut = async (
  changes: readonly Change[],
  { store, queue, clock }: FanOutDependencies,
  isTimeUp: () => boolean,
): Promise<number> => {
  const events = changes.flatMap((change) => (change.kind === 'event' ? [change.event] : []));
  const wanting = new Map(
    events.length === 0 ? [] : (await store.wanting(events)).map((routes, index) => [events[index], routes]),
  );

  let newEvents: StoredEvent[] = [];
  let deliveries: StoredDelivery[] = [];
  const flush = async (): Promise<void> => {
    if (newEvents.length > 0 || deliveries.length > 0) await store.add(newEvents, deliveries);
    if (deliveries.length > 0) await queue.send(deliveries.map(ticketOf), clock());
    newEvents = [];
    deliveries = [];
  };

  let done = 0;
  for (const [index, change] of changes.entries()) {
    if (isTimeUp()) return done;
    if (change.kind === 'event') {
      if (!change.isStored) newEvents.push(change.event);
      deliveries.push(...owedFor(change.event, wanting.get(change.event) ?? []));
      if (deliveries.length < DELIVERIES_AT_ONCE) continue;
    }
    await flush();
    done = index;
    if (change.kind === 'command' && !(await carryOut(change.command, { store, queue, clock }, isTimeUp))) return done;
    done = index + 1;
  }
  await flush();
  return changes.length;
};

/** Bounded, and more by another command: nobody's events wait behind thousands of rows. */
const erase = async (
  { owner, webhook_id, step }: EraseCommand,
  { store, clock }: FanOutDependencies,
): Promise<true> => {
  const { hasMore } = await store.eraseSome(webhook_id);
  if (hasMore) await store.addCommand(eraseCommand(owner, webhook_id, step + 1), clock());
  return true;
};

const resume = async (
  { webhook_id }: Extract<Command, { type: 'resume' }>,
  { store, queue, clock }: FanOutDependencies,
  isTimeUp: () => boolean,
): Promise<boolean> => {
  for (;;) {
    const { tickets, hasMore } = await store.resumeHeld(webhook_id, clock());
    await queue.send(tickets, clock());
    if (!hasMore) return true;
    if (isTimeUp()) return false;
  }
};

/** Does what a command asks for; false where the time was up before. */
const carryOut = async (
  command: Command,
  dependencies: FanOutDependencies,
  isTimeUp: () => boolean,
): Promise<boolean> => {
  switch (command.type) {
    case 'resume':
      return resume(command, dependencies, isTimeUp);
    case 'erase-history':
      return erase(command, dependencies);
    default:
      throw new Error(`nobody carries out ${command.type}`);
  }
};
