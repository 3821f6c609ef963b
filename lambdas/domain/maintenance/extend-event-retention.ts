import type { StoredDelivery } from '../deliveries/delivery.ts';
import { type ReleaseDependencies, type ReleaseStore, releaseHeld } from '../fan-out/release-held.ts';
import { holdDaysOf, retentionOf } from '../foundation/retention.ts';
import { DAY_MS, SECOND_MS } from '../foundation/time.ts';
import { type WebhookPosition, type WebhookWalkStore, walkWebhooks } from './walk-webhooks.ts';

/** Where the next of a webhook's owed and held deliveries stands. */
export interface OpenCursor {
  readonly list: number;
  /** Behind this one of it. */
  readonly after: string | null;
}

/** How far a round is. */
export interface RetentionProgress {
  /** When it began. */
  readonly startedMs: number;
  readonly isOver: boolean;
  /** Up to here. `null`: nobody yet. */
  readonly position: WebhookPosition | null;
  /** Of the webhook there: where it was left; `null`: at its end. */
  readonly cursor: OpenCursor | null;
}

/** An event by what is owed of it. */
export type EventReference = Pick<StoredDelivery, 'id' | 'owner' | 'event_id'>;

export interface RetentionStore extends WebhookWalkStore, ReleaseStore {
  retentionProgress(): Promise<{ readonly progress: RetentionProgress; readonly version: number } | null>;
  /** Replaces the version that was read; false where another invocation did. */
  saveRetentionProgress(progress: RetentionProgress, version: number): Promise<boolean>;
  /** Some of what a webhook is owed, or held, of events that are old enough to end soon, and where to go on; `null` at the end. */
  openDeliveries(
    webhookId: string,
    cursor: OpenCursor | null,
    nowMs: number,
  ): Promise<{ readonly found: readonly StoredDelivery[]; readonly next: OpenCursor | null }>;
  /** Lets those events live on that would end before a whole schedule is over. Answers how many those were. */
  extendEvents(owed: readonly EventReference[], nowMs: number): Promise<number>;
  /** Gives held deliveries up, each only while it is held. Answers how many. */
  cancelHeld(held: readonly StoredDelivery[], nowMs: number): Promise<number>;
}

export interface RetentionDependencies extends ReleaseDependencies {
  readonly store: RetentionStore;
  readonly retentionDays: number;
}

/** Deliveries of a webhook that was disabled for longer than they are held. */
export interface ExpiredHold extends WebhookPosition {
  readonly deliveries: number;
}

export interface ExtendedRetention {
  /** Events that live on. */
  readonly kept: number;
  readonly resumed: number;
  readonly ended: readonly ExpiredHold[];
}

/**
 * An event that something is owed of has a whole schedule ahead, and a round comes twice in that: what one has not seen,
 * because it changed just then, the next one sees in time.
 */
const ROUND_MS = 7 * DAY_MS;
/** What a dying invocation may have done since is done again, which changes nothing but costs. */
const SAVE_EVERY_MS = 10 * SECOND_MS;

/**
 * Once a week, goes through what is owed or held of older events and lets these live until it is settled: a webhook may be
 * disabled for longer than its events are kept, and a receiver may put its schedule off with `Retry-After`. A delivery is
 * held for 90 days, or for the retention where that is longer; then it is cancelled. How far a round is stands in a row.
 * Everything may happen twice.
 *
 * What it costs: of each webhook twelve index partitions are asked once a week, half a read unit each; with 10,000 webhooks
 * 260,000 units and 3 cents a month. A million deliveries that are held for older events than that: 35 cents of reads a
 * month, and a write for each event every two or three weeks, $0.63 where it is at most a kilobyte.
 */
export const extendEventRetention = async (
  tickAtMs: number,
  dependencies: RetentionDependencies,
  isTimeUp: () => boolean,
): Promise<ExtendedRetention> => {
  const { store, clock, retentionDays } = dependencies;
  let kept = 0;
  let resumed = 0;
  const ended: ExpiredHold[] = [];
  const done = (): ExtendedRetention => ({ kept, resumed, ended });

  const stored = await store.retentionProgress();
  const isBegun = stored?.progress.isOver === false;
  if (isTimeUp() || (stored && !isBegun && tickAtMs - stored.progress.startedMs < ROUND_MS)) return done();
  const startedMs = isBegun ? stored.progress.startedMs : tickAtMs;
  let position = isBegun ? stored.progress.position : null;
  let cursor = isBegun ? stored.progress.cursor : null;
  let version = stored?.version ?? 0;
  let savedAtMs = clock();

  /** Whether this invocation may go on. */
  const save = async (isOver = false): Promise<boolean> => {
    savedAtMs = clock();
    return store.saveRetentionProgress({ startedMs, isOver, position, cursor }, version++);
  };

  const isHeldTooLong = ({ due_at, retention_days }: StoredDelivery): boolean =>
    due_at < tickAtMs - holdDaysOf(retentionOf(retention_days, retentionDays)) * DAY_MS;

  /** Cancels what was held for too long, unless its webhook takes it after all. Answers what stays owed. */
  const endHolds = async ({ owner, webhookId }: WebhookPosition, found: readonly StoredDelivery[]) => {
    const held = found.filter(({ status }) => status === 'held');
    if (held.length === 0) return found;
    const letGone = await releaseHeld(owner, webhookId, dependencies, isTimeUp);
    if (letGone !== null) {
      resumed += letGone;
      return found;
    }
    const tooLong = new Set(held.filter(isHeldTooLong));
    const deliveries = tooLong.size > 0 ? await store.cancelHeld([...tooLong], clock()) : 0;
    if (deliveries > 0) ended.push({ owner, webhookId, deliveries });
    return found.filter((delivery) => !tooLong.has(delivery));
  };

  /** Whether there is time for more. */
  const keep = async (at: WebhookPosition, from: OpenCursor | null): Promise<boolean> => {
    position = at;
    cursor = from;
    do {
      const { found, next } = await store.openDeliveries(at.webhookId, cursor, tickAtMs);
      const owed = await endHolds(at, found);
      if (owed.length > 0) kept += await store.extendEvents(owed, tickAtMs);
      cursor = next;
    } while (cursor !== null && !isTimeUp());
    if (!isTimeUp() && clock() - savedAtMs < SAVE_EVERY_MS) return true;
    return (await save()) && !isTimeUp();
  };

  if (position && cursor && !(await keep(position, cursor))) return done();
  for await (const next of walkWebhooks(store, position)) {
    if (next.webhookId !== '') {
      if (!(await keep(next, null))) return done();
    } else if (isTimeUp()) {
      await save();
      return done();
    }
  }
  await save(true);
  return done();
};
