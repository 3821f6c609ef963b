import type { DeliveryTicket } from '../deliveries/delivery.ts';
import type { StoredEvent } from '../events/event.ts';
import type { FanOutStore } from '../fan-out/fan-out.ts';
import type { Checkpoint } from './checkpoint.ts';
import type { WebhookWalkStore } from './walk-webhooks.ts';

/** Where the search for lost changes continues. */
export interface LostChangesProgress {
  /** The hours whose changes are compared, in milliseconds. Every earlier hour was compared. */
  readonly startMs: number;
  readonly endMs: number;
  /** The owner whose events are compared. `null` = the changes of tasks, templates and jobs are compared first. */
  readonly owner: string | null;
  /** Number, from 0, of the list that is read: of the changes of each hour, or of the owner's events. */
  readonly list: number;
  /** The store's text for the last row that was read from the list. `null` = none. */
  readonly after: string | null;
}

/** A page of events, and where the next page begins. `next` is null after the last page of the list. */
export interface EventPage {
  readonly events: readonly StoredEvent[];
  readonly next: string | null;
}

/** A webhook that is not deleted, and since when (milliseconds) it has wanted the events that it wants now. */
export interface RoutedWebhook {
  readonly webhookId: string;
  readonly sinceMs: number;
}

export interface LostChangesStore extends FanOutStore, Pick<WebhookWalkStore, 'accounts'> {
  lostChangesProgress(): Promise<{ readonly progress: LostChangesProgress; readonly version: number } | null>;
  /**
   * Replaces the stored progress of the search if it has the version that was read (0 = none). Returns false if another
   * invocation replaced it first.
   */
  saveLostChangesProgress(progress: LostChangesProgress, version: number): Promise<boolean>;
  /** The number of lists that hold the changes of one hour, and the number of lists that hold an owner's events. */
  readonly lists: { readonly changes: number; readonly events: number };
  /**
   * Reads a page of the tasks, templates and jobs whose last change was in the hour. Returns the events of all their
   * changes, without things that have expired or whose personal data is erased.
   */
  changedInHour(hourMs: number, list: number, after: string | null, nowMs: number): Promise<EventPage>;
  /** Reads a page of an owner's stored events of some hours, without events that have expired. */
  eventsOfHours(
    owner: string,
    hours: { readonly startMs: number; readonly endMs: number },
    list: number,
    after: string | null,
    nowMs: number,
  ): Promise<EventPage>;
  /** Returns the ids of those events that have a row. */
  storedEventIds(events: readonly StoredEvent[]): Promise<ReadonlySet<string>>;
  /** Returns the ids of those deliveries that have a row. */
  storedDeliveryIds(ids: readonly string[]): Promise<ReadonlySet<string>>;
  /** Returns the webhooks of an owner that are not deleted. */
  routedWebhooks(owner: string): Promise<readonly RoutedWebhook[]>;
  /**
   * Reads a page of an owner's commands that were submitted by `submittedByMs` and were not carried out. Leaves out
   * commands that were submitted again after `againByMs`.
   */
  unfinishedCommands(
    owner: string,
    after: string | null,
    bounds: { readonly submittedByMs: number; readonly againByMs: number },
  ): Promise<{ readonly ids: readonly string[]; readonly next: string | null }>;
  /** Submits a command again, unless it was carried out meanwhile. Returns whether it did. */
  resubmit(owner: string, commandId: string, nowMs: number): Promise<boolean>;
}

export interface LostChangesDependencies {
  readonly store: LostChangesStore;
  readonly queue: { send(tickets: readonly DeliveryTicket[], nowMs: number): Promise<void> };
  readonly clock: () => number;
  readonly retentionDays: number;
  /** Returns the code of an error that a repetition cannot avoid, or null for an error that a repetition may avoid. */
  readonly refusalCodeOf: (error: unknown) => string | null;
}

/** A lost event whose rows DynamoDB refuses, however often they are written, and DynamoDB's code. */
export interface Refusal {
  readonly eventId: string;
  readonly code: string;
}

/** What the search for lost changes did about events. */
export interface LostEvents {
  /** Number of events that were lost and are fanned out now. */
  readonly lostChanges: number;
  /** Number of deliveries that were created for them. */
  readonly deliveries: number;
  readonly refused: readonly Refusal[];
}

/** What one tick of the search found and did. */
export interface LostChangesReport extends LostEvents {
  /** Number of commands that were not carried out and were submitted again. */
  readonly lostCommands: number;
}

/** One invocation of the search, and how far it is. */
export interface LostChangesSearch extends LostChangesDependencies {
  readonly tickAtMs: number;
  readonly isTimeUp: () => boolean;
  readonly checkpoint: Checkpoint<LostChangesProgress>;
  readonly report: { lostChanges: number; deliveries: number; lostCommands: number; readonly refused: Refusal[] };
  progress: LostChangesProgress;
}
