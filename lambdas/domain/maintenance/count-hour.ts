import type { StoredDelivery } from '../deliveries/delivery.ts';
import { ticketOf } from '../deliveries/delivery.ts';
import { LONGEST_REQUEST_MS } from '../deliveries/retry-schedule.ts';
import { type ReleaseDependencies, type ReleaseStore, releaseHeld } from '../fan-out/release-held.ts';
import { type Hour, nextReadingMs, quietMs } from './hour.ts';
import { createHourCount, type HourCounts } from './hour-counts.ts';

/**
 * Where reading the deliveries of a webhook's hour continues, newest first: for each shard the id of the last delivery
 * that was read. '' = the shard was not read yet, `null` = the shard is read to its end.
 */
export type HourCursor = readonly (string | null)[];

/** A delivery, and whether the due index has it. The sweep sends a message for each delivery in the due index. */
export interface HourDelivery {
  readonly delivery: StoredDelivery;
  readonly isInDueIndex: boolean;
}

export interface HourReader {
  /**
   * Reads a page of the deliveries of one webhook and one hour. With `cursor` null, reads the first page; `next` is
   * null after the last page.
   */
  read(
    webhookId: string,
    hour: Hour,
    cursor: HourCursor | null,
  ): Promise<{ readonly found: readonly HourDelivery[]; readonly next: HourCursor | null }>;
}

/** One hour of one webhook, whose deliveries are to be read and counted. */
export interface HourReading {
  readonly owner: string;
  readonly webhookId: string;
  readonly startMs: number;
  /**
   * True if the hour's row requested this count: deliveries of the hour were unfinished (pending, failed or held) at
   * the last count or changed after it.
   */
  readonly isAgain: boolean;
  /** Set if an earlier run stopped within this hour: where to continue, and the counts so far. `null` = unread. */
  readonly read: { readonly cursor: HourCursor; readonly counts: HourCounts } | null;
}

export interface CountHourStore extends HourReader, ReleaseStore {
  /**
   * Stores an hour's counts and the time of its next reading, unless another reading was requested meanwhile or the
   * stored counts have more deliveries.
   */
  put(
    webhookId: string,
    hour: Hour,
    counts: HourCounts,
    reading: { readonly owner: string; readonly againAtMs: number | null; readonly tickAtMs: number },
  ): Promise<void>;
  /** Cancels the next reading of an hour that has no deliveries left. */
  close(webhookId: string, hour: Hour, tickAtMs: number): Promise<void>;
}

export interface CountHourDependencies extends ReleaseDependencies {
  readonly store: CountHourStore;
  readonly speed: number;
  /** The retention of deliveries in hours: an older hour's deliveries cannot be read. */
  readonly retentionHours: number;
}

/**
 * What a tick of the roll-up did so far: hours counted, deliveries sent again (`resent`), held deliveries released
 * (`resumed`).
 */
export interface RollUpTotals {
  hours: number;
  resent: number;
  resumed: number;
}

/**
 * Reads one hour of one webhook and stores its counts. Sends the message of a first attempt again if it was lost: the
 * due index does not have first attempts, so the sweep does not find them. Releases deliveries that are still held
 * although their webhook is enabled or deleted. Running twice is safe. Adds to `totals`. Returns where the reading
 * continues if the time was up, otherwise null.
 */
export const countHour = async (
  reading: HourReading,
  hour: Hour,
  tickAtMs: number,
  { store, queue, clock, speed, retentionHours }: CountHourDependencies,
  totals: RollUpTotals,
  isTimeUp: () => boolean,
): Promise<HourReading | null> => {
  const { owner, webhookId, isAgain, read } = reading;
  const lostBeforeMs = tickAtMs - Math.max(quietMs(speed), LONGEST_REQUEST_MS);
  const count = createHourCount(read?.counts);
  for (let cursor = read?.cursor ?? null; ; ) {
    const { found, next } = await store.read(webhookId, hour, cursor);
    for (const { delivery } of found) count.add(delivery);
    const lost = found
      .filter(({ delivery, isInDueIndex }) => delivery.status === 'pending' && !isInDueIndex)
      .filter(({ delivery }) => delivery.due_at <= lostBeforeMs)
      .map(({ delivery }) => ticketOf(delivery));
    if (lost.length > 0) await queue.send(lost, clock());
    totals.resent += lost.length;
    if (next === null) break;
    cursor = next;
    if (isTimeUp()) return { ...reading, read: { cursor, counts: count.counts() } };
  }

  const counts = count.counts();
  if (counts.held > 0) totals.resumed += (await releaseHeld(owner, webhookId, { store, queue, clock }, isTimeUp)) ?? 0;
  const againAtMs = counts.open > 0 ? nextReadingMs(hour, tickAtMs, retentionHours) : null;
  if (counts.deliveries > 0) await store.put(webhookId, hour, counts, { owner, againAtMs, tickAtMs });
  else if (isAgain) await store.close(webhookId, hour, tickAtMs);
  totals.hours++;
  return null;
};
