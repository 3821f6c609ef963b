import type { StoredDelivery } from '../deliveries/delivery.ts';
import { SHORT_WAIT_MS } from '../deliveries/retry-schedule.ts';
import { MINUTE_MS } from '../foundation/time.ts';
import { type SlotAssignment, waitUntil } from './rate-limits.ts';

/** Reserves slots (times to send) of an account, so that each minute of the clock has as many as the account's limit. */
export interface AccountSlotStore {
  /**
   * Reserves `count` slots, `intervalMs` apart, if all of them lie between `fromMs` and `untilMs`. Returns whether it
   * did.
   */
  reserveWithin(
    accountId: string,
    count: number,
    intervalMs: number,
    minute: { readonly fromMs: number; readonly untilMs: number },
  ): Promise<boolean>;
  /** Reserves the next `count` slots, `intervalMs` apart, at `fromMs` or later. Returns the time of the first. */
  reserveNext(accountId: string, count: number, intervalMs: number, fromMs: number): Promise<number>;
}

/** The attempts of one account in the current minute, as this function instance knows them. */
interface MinuteOfAccount {
  readonly minute: number;
  /** Number of attempts that were admitted. */
  admitted: number;
  /** Number of admitted attempts that no reservation counts. The next reservation counts them too. */
  uncounted: number;
  /** Number of attempts that were uncounted until a reservation began that is not answered. */
  beingCounted: number;
  /** Number of reserved slots of this minute that are not used yet. */
  reserved: number;
  /**
   * True if the store has refused to reserve another part of this minute. A group of deliveries then reserves exactly as many
   * slots as it needs, nearly always in a later minute.
   */
  isFull: boolean;
}

/** The minutes of accounts that a function instance remembers, by account id. */
export type AccountMinutes = Map<string, MinuteOfAccount>;

/** The maximum number of accounts that a function instance remembers. */
const MAX_ACCOUNTS = 10_000;

/**
 * The smallest and the largest part of an account's limit that a function instance reserves at a time: a five-hundredth
 * and a fiftieth. What the instance does not use in the minute is lost for all instances.
 */
const SMALLEST_PART = 1 / 500;
const LARGEST_PART = 1 / 50;

/**
 * The number of attempts that a function instance makes in a minute without a reservation, so that an account with few
 * deliveries costs no write: a hundredth of the limit, and at most ten.
 */
const uncountedAttempts = (limit: number): number => Math.min(10, Math.floor(limit / 100));

/**
 * Returns the number of slots that a function instance reserves at a time: as many as the attempts that it has admitted
 * in the minute. So an instance with few deliveries does not take away the slots of the others, and an instance with
 * many deliveries seldom writes.
 */
const partOf = (limit: number, admitted: number): number =>
  Math.ceil(Math.min(limit * LARGEST_PART, Math.max(limit * SMALLEST_PART, admitted)));

const minuteOf = (minutes: AccountMinutes, accountId: string, nowMs: number): MinuteOfAccount => {
  const minute = Math.floor(nowMs / MINUTE_MS);
  const known = minutes.get(accountId);
  if (known?.minute === minute) return known;
  if (minutes.size >= MAX_ACCOUNTS) minutes.clear();
  const begun: MinuteOfAccount = { minute, admitted: 0, uncounted: 0, beingCounted: 0, reserved: 0, isFull: false };
  minutes.set(accountId, begun);
  return begun;
};

/**
 * Admits as many of an account's attempts as the account's limit for the current minute leaves, and returns the number
 * that is admitted without a slot of their own. Reserves in parts, so that most calls write nothing.
 */
const admit = async (
  wanted: number,
  accountId: string,
  limit: number,
  { store, minutes }: AccountLimit,
  nowMs: number,
): Promise<number> => {
  const known = minuteOf(minutes, accountId, nowMs);
  if (known.uncounted + known.beingCounted + wanted <= uncountedAttempts(limit) && known.reserved === 0) {
    known.uncounted += wanted;
    known.admitted += wanted;
    return wanted;
  }
  if (known.reserved < wanted && !known.isFull) {
    // Another group of the batch may reserve during the call, and must not count the same attempts again.
    const { uncounted } = known;
    known.uncounted = 0;
    known.beingCounted += uncounted;
    const part = Math.max(wanted - known.reserved, partOf(limit, known.admitted));
    const fromMs = known.minute * MINUTE_MS;
    const minute = { fromMs, untilMs: fromMs + MINUTE_MS };
    known.isFull = !(await store.reserveWithin(accountId, uncounted + part, MINUTE_MS / limit, minute));
    known.beingCounted -= uncounted;
    if (known.isFull) known.uncounted += uncounted;
    else known.reserved += part;
  }
  const admitted = Math.min(wanted, known.reserved);
  known.reserved -= admitted;
  known.admitted += admitted;
  return admitted;
};

export interface AccountLimit {
  readonly store: AccountSlotStore;
  readonly minutes: AccountMinutes;
  readonly queue: { carries(dueAtMs: number, nowMs: number): boolean };
}

/**
 * Splits deliveries of one account by `deliveries_per_minute`: those to attempt now, and those whose slot is in a later
 * minute. The slot becomes the delivery's due time, and the delivery keeps the slot until its attempt, so the account's
 * deliveries are sent in the order in which they came. `group` has the deliveries that are due first in front.
 */
export const assignAccountSlots = async <
  T extends { readonly delivery: StoredDelivery; readonly accountLimit: number },
>(
  group: readonly T[],
  accountId: string,
  account: AccountLimit,
  nowMs: number,
): Promise<SlotAssignment<T>> => {
  const limit = group[0]?.accountLimit ?? 0;
  const withoutSlot = group.filter(({ delivery }) => !delivery.has_account_slot);
  if (withoutSlot.length === 0) return { now: group, later: [] };
  const admitted = await admit(withoutSlot.length, accountId, limit, account, nowMs);
  const rest = withoutSlot.slice(admitted);
  if (rest.length === 0) return { now: group, later: [] };

  const intervalMs = MINUTE_MS / limit;
  const minuteMs = Math.floor(nowMs / MINUTE_MS) * MINUTE_MS;
  const firstMs = await account.store.reserveNext(accountId, rest.length, intervalMs, minuteMs);
  const slots = new Map(rest.map((item, index) => [item, Math.ceil(firstMs + index * intervalMs)]));

  const now: T[] = [];
  const later: { item: T; after: StoredDelivery }[] = [];
  for (const item of group) {
    const slotMs = slots.get(item) ?? nowMs;
    const parked = !account.queue.carries(slotMs, nowMs);
    if (slotMs < minuteMs + MINUTE_MS) now.push(item);
    else if (slotMs - nowMs <= SHORT_WAIT_MS) now.push({ ...item, delivery: { ...item.delivery, due_at: slotMs } });
    else later.push({ item, after: { ...waitUntil(item.delivery, slotMs, parked), has_account_slot: true } });
  }
  return { now, later };
};
