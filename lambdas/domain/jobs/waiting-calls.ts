import { SECOND_MS } from '../foundation/time.ts';

/** The maximum number of calls of an account that wait for the results of their jobs at the same time. */
export const MAX_WAITING_CALLS = 5;

/**
 * Milliseconds for which a place stays taken if its call does not give it back, because its function was killed. The time
 * is longer than a call waits (25 s) and than a function of the API runs (29 s).
 */
export const PLACE_MS = 30 * SECOND_MS;

/** A place of a call that waits for the result of its job. `endMs` = when the place is free even if it is not given back. */
export interface WaitingPlace {
  readonly accountId: string;
  readonly index: number;
  readonly endMs: number;
}

/** The places of the calls that wait: at most `MAX_WAITING_CALLS` of each account, in all instances together. */
export interface WaitingPlaces {
  /** Takes a place for `PLACE_MS`. Returns null if all places of the account are taken. */
  take(accountId: string, nowMs: number): Promise<WaitingPlace | null>;
  giveBack(place: WaitingPlace): Promise<void>;
}
