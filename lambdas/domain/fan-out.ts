import { carryOut } from './carry-out.ts';
import type { Command, OweCommand, RecoverCommand } from './command.ts';
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
  add(events: readonly StoredEvent[], deliveries: readonly StoredDelivery[], nowMs: number): Promise<void>;
  /** Lets some of a webhook's held deliveries go on, due now, as a request asked. Answers what now awaits its message, and whether more are held. */
  resumeHeld(
    webhookId: string,
    askedBy: string | undefined,
    nowMs: number,
  ): Promise<{ tickets: readonly DeliveryTicket[]; hasMore: boolean }>;
  /** Forgets since when a webhook has been failing. */
  forgetFailing(webhookId: string): Promise<void>;
  /** Makes deliveries owe again, once per command. Answers what awaits its message. */
  oweAgain(command: OweCommand, nowMs: number): Promise<readonly DeliveryTicket[]>;
  /** Makes some of a window's deliveries owe again. Answers what awaits its message, and where the next step begins, or null at the end. */
  recoverSome(
    command: RecoverCommand,
    nowMs: number,
  ): Promise<{
    readonly tickets: readonly DeliveryTicket[];
    readonly next: { readonly list: number; readonly after: string | null } | null;
  }>;
  /** Notes in the recovery's job how far it is. */
  noteProgress(command: RecoverCommand, done: number, isLast: boolean, nowMs: number): Promise<void>;
  /** Takes some of a webhook's deliveries away, with their attempts. Answers whether more are there. */
  eraseSome(webhookId: string): Promise<{ readonly hasMore: boolean }>;
  /** Asks for more work by a row, once, however often. */
  addCommand(command: Command, nowMs: number): Promise<void>;
}

export interface FanOutDependencies {
  readonly store: FanOutStore;
  readonly queue: { send(tickets: readonly DeliveryTicket[], nowMs: number): Promise<void> };
  readonly clock: () => number;
  /** Hears how many deliveries an event came to, once they are on their way. */
  readonly onFannedOut?: (deliveries: number) => void;
}

/** So many rows are written and messages sent before the next event is looked at: an invocation that must stop stops between them. */
const DELIVERIES_AT_ONCE = 500;

/** What an event owes a webhook, before anything was tried. */
export const newDelivery = (
  event: Pick<StoredEvent, 'id' | 'owner' | 'type' | 'created_at' | 'retention_days'>,
  webhookId: string,
): StoredDelivery => {
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
    retention_days: event.retention_days,
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

/** Whom an event goes to: each webhook that wants the type, for every resource or for this one, but not the one it is about; a sample to the one it is for. */
export const receiversOf = (event: StoredEvent, wanting: readonly Wanting[]): string[] => {
  if (event.test_of !== undefined) return [event.test_of];
  const webhookIds = wanting
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
  const wanting = new Map(
    events.length === 0 ? [] : (await store.wanting(events)).map((routes, index) => [events[index], routes]),
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
      const receivers = receiversOf(change.event, wanting.get(change.event) ?? []);
      sizes.push(receivers.length);
      deliveries.push(...receivers.map((webhookId) => newDelivery(change.event, webhookId)));
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
