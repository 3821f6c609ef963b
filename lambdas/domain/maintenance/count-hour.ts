import type { StoredDelivery } from '../deliveries/delivery.ts';
import { ticketOf } from '../deliveries/delivery.ts';
import { LONGEST_REQUEST_MS } from '../deliveries/retry-schedule.ts';
import { type ReleaseDependencies, type ReleaseStore, releaseHeld } from '../fan-out/release-held.ts';
import { type Hour, nextReadingMs, quietMs } from './hour.ts';
import { createHourCount, type HourCounts } from './hour-counts.ts';

/** How far each shard of an hour has been read, newest first: behind which delivery; '' before the first, `null` at its end. */
export type HourCursor = readonly (string | null)[];

/** A delivery with whether the due index knows of it, and so reminds of it. */
export interface HourDelivery {
  readonly delivery: StoredDelivery;
  readonly isInDueIndex: boolean;
}

export interface HourReader {
  /** Some of what a webhook was owed by an hour's events, and where to go on; `null` at the end. Begins without a cursor. */
  read(
    webhookId: string,
    hour: Hour,
    cursor: HourCursor | null,
  ): Promise<{ readonly found: readonly HourDelivery[]; readonly next: HourCursor | null }>;
}

/** A webhook's hour that is being read. */
export interface HourInHand {
  readonly owner: string;
  readonly webhookId: string;
  readonly startMs: number;
  /** It has a row that says so. */
  readonly isAgain: boolean;
  /** Of a reading that ran out of time: where it stopped, and what it had counted. */
  readonly read: { readonly cursor: HourCursor; readonly counts: HourCounts } | null;
}

export interface CountHourStore extends HourReader, ReleaseStore {
  /** Notes an hour's counts and when it is to be read again, unless somebody asked for that meanwhile. */
  put(
    webhookId: string,
    hour: Hour,
    counts: HourCounts,
    of: { readonly owner: string; readonly againAtMs: number | null; readonly tickAtMs: number },
  ): Promise<void>;
  /** An hour that was to be read again, and of which nothing is left. */
  close(webhookId: string, hour: Hour, tickAtMs: number): Promise<void>;
}

export interface CountHourDependencies extends ReleaseDependencies {
  readonly store: CountHourStore;
  readonly speed: number;
  /** For so long what an hour's deliveries left can be read. */
  readonly retentionHours: number;
}

export interface Rolled {
  hours: number;
  resent: number;
  resumed: number;
}

/**
 * Reads a webhook's hour once: counts it, sends again the first attempts whose message must have got lost (nothing else
 * stands for them: they are in no due index), and lets go on what was held by mistake. Everything is found anew, so that
 * it may run twice. Answers where to go on if the time was up.
 */
export const countHour = async (
  one: HourInHand,
  hour: Hour,
  tickAtMs: number,
  { store, queue, clock, speed, retentionHours }: CountHourDependencies,
  rolled: Rolled,
  isTimeUp: () => boolean,
): Promise<HourInHand | null> => {
  const { owner, webhookId, isAgain, read } = one;
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
    rolled.resent += lost.length;
    if (next === null) break;
    cursor = next;
    if (isTimeUp()) return { ...one, read: { cursor, counts: count.counts() } };
  }

  const counts = count.counts();
  if (counts.held > 0) rolled.resumed += (await releaseHeld(owner, webhookId, { store, queue, clock }, isTimeUp)) ?? 0;
  const againAtMs = counts.open > 0 ? nextReadingMs(hour, tickAtMs, retentionHours) : null;
  if (counts.deliveries > 0) await store.put(webhookId, hour, counts, { owner, againAtMs, tickAtMs });
  else if (isAgain) await store.close(webhookId, hour, tickAtMs);
  rolled.hours++;
  return null;
};
