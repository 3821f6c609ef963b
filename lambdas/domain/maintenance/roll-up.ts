import { timeOfId } from '../foundation/id.ts';
import { SECOND_MS } from '../foundation/time.ts';
import {
  type CountHourDependencies,
  type CountHourStore,
  countHour,
  type HourInHand,
  type Rolled,
} from './count-hour.ts';
import { type Hour, hourAt, hoursBefore, quietMs } from './hour.ts';
import { type WebhookPosition, type WebhookWalkStore, walkWebhooks } from './walk-webhooks.ts';

/** How far the roll-up is. */
export interface RollUpProgress {
  /** Everything before this hour has been read once. */
  readonly hourMs: number;
  /** In it, up to here. `null`: nobody yet. */
  readonly position: WebhookPosition | null;
  /** A webhook's hour that was too long for the time that was left. */
  readonly inHand: HourInHand | null;
}

export interface RollUpStore extends CountHourStore, WebhookWalkStore {
  progress(): Promise<{ readonly progress: RollUpProgress; readonly version: number } | null>;
  /** Replaces the version that was read; false where another invocation did. */
  saveProgress(progress: RollUpProgress, version: number): Promise<boolean>;
  /** Hours that are to be read again by now. */
  dueAgain(tickAtMs: number): AsyncIterable<Pick<HourInHand, 'owner' | 'webhookId' | 'startMs'>>;
}

export interface RolledUp extends Readonly<Rolled> {
  readonly behind_hours: number;
}

export interface RollUpDependencies extends CountHourDependencies {
  readonly store: RollUpStore;
}

/** What a dying invocation may have done since is done again, which changes nothing but costs. */
const SAVE_EVERY_MS = 10 * SECOND_MS;

/** Where the very first roll-up begins: with the first account. */
const firstHour = async (store: RollUpStore, speed: number): Promise<Hour | null> => {
  for await (const accountId of store.accounts(null)) return hourAt(timeOfId(accountId), speed);
  return null;
};

/**
 * One tick: reads each hour of each webhook once, when it has been over for a quarter of an hour, and those that still
 * had open deliveries again as they grow old. How far it is stands in a row. It goes on from there, hour by hour, whether
 * a tick was late, lost or killed; two at a time do the same work twice, and only one of them notes it.
 *
 * What it costs, idle: each hour every account's two modes are listed and each webhook's four shards are asked, half a
 * read unit each. With 10 webhooks of 5 accounts that is 25 units an hour and less than a cent a month; with 10,000
 * webhooks of 5,000 accounts 25,000 units, or 18 million and $2.30 a month, and 50 GB-seconds an hour (2.3 ms of CPU for a
 * webhook, at 512 MB), $0.50 a month. An hour without deliveries writes nothing. With deliveries: a cent per million to
 * read them, a write for each webhook and hour, and the same again only where something was still open.
 */
export const rollUp = async (
  tickAtMs: number,
  dependencies: RollUpDependencies,
  isTimeUp: () => boolean,
): Promise<RolledUp> => {
  const { store, clock, speed, retentionHours } = dependencies;
  const rolled: Rolled = { hours: 0, resent: 0, resumed: 0 };
  const stored = await store.progress();
  const begin = stored ? hourAt(stored.progress.hourMs, speed) : await firstHour(store, speed);
  if (!begin) return { ...rolled, behind_hours: 0 };

  // What is older than the retention has nothing left to read.
  const oldest = hoursBefore(tickAtMs, retentionHours, speed);
  const isExpired = begin.startMs < oldest.startMs;
  let hour = isExpired ? oldest : begin;
  let position = isExpired ? null : (stored?.progress.position ?? null);
  let inHand = stored?.progress.inHand ?? null;
  let version = stored?.version ?? 0;
  let savedAtMs = clock();

  /** Whether this invocation may go on. */
  const save = async (): Promise<boolean> => {
    savedAtMs = clock();
    return store.saveProgress({ hourMs: hour.startMs, position, inHand }, version++);
  };
  /** Whether there is time for more. */
  const read = async (one: HourInHand): Promise<boolean> => {
    const of = { startMs: one.startMs, endMs: one.startMs + hour.endMs - hour.startMs };
    inHand = await countHour(one, of, tickAtMs, dependencies, rolled, isTimeUp);
    if (inHand === null && !isTimeUp() && clock() - savedAtMs < SAVE_EVERY_MS) return true;
    return (await save()) && inHand === null && !isTimeUp();
  };
  const done = () => ({
    ...rolled,
    behind_hours: Math.max(0, Math.floor((tickAtMs - quietMs(speed) - hour.startMs) / (hour.endMs - hour.startMs))),
  });

  if (inHand && !(await read(inHand))) return done();
  while (hour.endMs + quietMs(speed) <= tickAtMs) {
    for await (const next of walkWebhooks(store, position)) {
      position = next;
      if (next.webhookId === '') {
        if (isTimeUp()) {
          await save();
          return done();
        }
      } else if (!(await read({ ...next, startMs: hour.startMs, isAgain: false, read: null }))) return done();
    }
    hour = hourAt(hour.endMs, speed);
    position = null;
    if (!(await save()) || isTimeUp()) return done();
  }
  for await (const again of store.dueAgain(tickAtMs)) {
    if (!(await read({ ...again, isAgain: true, read: null }))) break;
  }
  return done();
};
