import { timeOfId } from '../foundation/id.ts';
import { MINUTE_MS } from '../foundation/time.ts';
import { type Checkpoint, createCheckpoint } from './checkpoint.ts';
import {
  type CountHourDependencies,
  type CountHourStore,
  countHour,
  type HourReading,
  type RollUpTotals,
} from './count-hour.ts';
import { type Hour, hourAt, hoursBefore, quietMs } from './hour.ts';
import { type WebhookPosition, type WebhookWalkStore, walkWebhooks } from './walk-webhooks.ts';

/** The stored progress of the roll-up, which counts the deliveries of every webhook hour by hour. */
export interface RollUpProgress {
  /** Start of the hour that is being read. Every earlier hour was read once. */
  readonly hourMs: number;
  /** The last webhook whose deliveries of the hour `hourMs` were read. `null` = none. */
  readonly position: WebhookPosition | null;
  /** The reading of a webhook's hour that ran out of time and continues in the next tick. `null` = none. */
  readonly inHand: HourReading | null;
}

export interface RollUpStore extends CountHourStore, WebhookWalkStore {
  progress(): Promise<{ readonly progress: RollUpProgress; readonly version: number } | null>;
  /**
   * Replaces the stored progress of the roll-up if the stored progress has the version that was read (0 = none).
   * Returns false if another invocation replaced it first.
   */
  saveProgress(progress: RollUpProgress, version: number): Promise<boolean>;
  /** Returns the hours whose next reading is due at the tick. */
  dueAgain(tickAtMs: number): AsyncIterable<Pick<HourReading, 'owner' | 'webhookId' | 'startMs'>>;
}

/** What one tick of the roll-up did. `behind_hours` counts the hours that are over but not read yet. */
export interface RollUpReport extends Readonly<RollUpTotals> {
  readonly behind_hours: number;
}

export interface RollUpDependencies extends CountHourDependencies {
  readonly store: RollUpStore;
}

/**
 * The state of one tick of the roll-up: its inputs, its totals, and how far it has counted. `checkpoint` stores `hour`,
 * `position` and `inHand`, so that the next tick continues there.
 */
interface Tick {
  readonly tickAtMs: number;
  readonly dependencies: RollUpDependencies;
  readonly isTimeUp: () => boolean;
  readonly checkpoint: Checkpoint<RollUpProgress>;
  readonly totals: RollUpTotals;
  hour: Hour;
  position: WebhookPosition | null;
  inHand: HourReading | null;
}

/**
 * Runs one tick of the roll-up: counts each webhook's deliveries of each hour and stores the counts, a quarter of an
 * hour after the hour ended. An hour that still had open deliveries is counted again as it grows old. The progress is
 * stored in a row, so the next tick continues hour by hour after a tick was late, lost or killed. Two ticks at the same
 * time do the same work twice; only one stores its progress.
 *
 * Costs, idle: each hour the roll-up lists both modes of every account and queries four shards of each webhook, half a
 * read unit each. With 10 webhooks of 5 accounts that is 25 units an hour, less than a cent a month. With 10,000
 * webhooks of 5,000 accounts that is 25,000 units an hour, or 18 million and $2.30 a month, and 50 GB-seconds an hour
 * (2.3 ms of CPU for a webhook, at 512 MB), $0.50 a month. An hour without deliveries writes nothing. With deliveries:
 * a cent per million to read them, one write for each webhook and hour, and the same again only if a delivery was still
 * open.
 */
export const rollUp = async (
  tickAtMs: number,
  dependencies: RollUpDependencies,
  isTimeUp: () => boolean,
): Promise<RollUpReport> => {
  const tick = await startTick(tickAtMs, dependencies, isTimeUp);
  if (tick === null) return { hours: 0, resent: 0, resumed: 0, behind_hours: 0 };
  for (const step of [finishInterruptedHour, readFinishedHours, rereadOpenHours]) {
    if (!(await step(tick))) break;
  }
  return { ...tick.totals, behind_hours: hoursBehind(tick) };
};

/**
 * Loads the roll-up's stored progress and returns the state with which the tick begins. Returns `null` if no account
 * exists, because the roll-up then has nothing to count.
 */
const startTick = async (
  tickAtMs: number,
  dependencies: RollUpDependencies,
  isTimeUp: () => boolean,
): Promise<Tick | null> => {
  const { store, clock, speed, retentionHours } = dependencies;
  const stored = await store.progress();
  const begin = stored ? hourAt(stored.progress.hourMs, speed) : await firstHour(store, speed);
  if (!begin) return null;
  // Deliveries older than the retention have expired: skip their hours.
  const oldest = hoursBefore(tickAtMs, retentionHours, speed);
  const isExpired = begin.startMs < oldest.startMs;
  return {
    tickAtMs,
    dependencies,
    isTimeUp,
    checkpoint: createCheckpoint((...progress) => store.saveProgress(...progress), stored?.version ?? 0, clock),
    totals: { hours: 0, resent: 0, resumed: 0 },
    hour: isExpired ? oldest : begin,
    position: isExpired ? null : (stored?.progress.position ?? null),
    inHand: stored?.progress.inHand ?? null,
  };
};

/** Returns the hour with which the very first roll-up begins: the hour in which the first account was created. */
const firstHour = async (store: RollUpStore, speed: number): Promise<Hour | null> => {
  for await (const accountId of store.accounts(null)) return hourAt(timeOfId(accountId), speed);
  return null;
};

// Each function below returns whether the tick may continue: there is time left, and no other invocation took over.

const finishInterruptedHour = async (tick: Tick): Promise<boolean> =>
  tick.inHand === null || readHour(tick, tick.inHand);

/**
 * Counts the deliveries of every hour that ended at least `quietMs` ago, webhook by webhook. Returns whether the tick
 * may continue.
 */
const readFinishedHours = async (tick: Tick): Promise<boolean> => {
  const { store, speed } = tick.dependencies;
  while (tick.hour.endMs + quietMs(speed) <= tick.tickAtMs) {
    // A webhook that was deleted before the hour has no deliveries of the hour. The minute covers clocks that differ.
    for await (const position of walkWebhooks(store, tick.position, tick.hour.startMs - MINUTE_MS)) {
      tick.position = position;
      if (!(await readPosition(tick, position))) return false;
    }
    tick.hour = hourAt(tick.hour.endMs, speed);
    tick.position = null;
    if (!(await save(tick)) || tick.isTimeUp()) return false;
  }
  return true;
};

const readPosition = async (tick: Tick, position: WebhookPosition): Promise<boolean> => {
  if (position.webhookId !== '') {
    return readHour(tick, { ...position, startMs: tick.hour.startMs, isAgain: false, read: null });
  }
  // The walk over all webhooks gives each owner first as a position without a webhook. Such a position has no
  // deliveries to count, so only the time limit is checked.
  if (!tick.isTimeUp()) return true;
  await save(tick);
  return false;
};

const rereadOpenHours = async (tick: Tick): Promise<boolean> => {
  for await (const due of tick.dependencies.store.dueAgain(tick.tickAtMs)) {
    if (!(await readHour(tick, { ...due, isAgain: true, read: null }))) return false;
  }
  return true;
};

const readHour = async (tick: Tick, reading: HourReading): Promise<boolean> => {
  const { tickAtMs, dependencies, totals, isTimeUp, checkpoint } = tick;
  const lengthMs = tick.hour.endMs - tick.hour.startMs;
  const hour = { startMs: reading.startMs, endMs: reading.startMs + lengthMs };
  tick.inHand = await countHour(reading, hour, tickAtMs, dependencies, totals, isTimeUp);
  if (tick.inHand === null && !isTimeUp() && !checkpoint.isSaveDue()) return true;
  return (await save(tick)) && tick.inHand === null && !isTimeUp();
};

const save = ({ checkpoint, hour, position, inHand }: Tick): Promise<boolean> =>
  checkpoint.save({ hourMs: hour.startMs, position, inHand });

const hoursBehind = ({ tickAtMs, dependencies, hour }: Tick): number => {
  const lateMs = tickAtMs - quietMs(dependencies.speed) - hour.startMs;
  return Math.max(0, Math.floor(lateMs / (hour.endMs - hour.startMs)));
};
