/** The number of milliseconds in a second, a minute, an hour and a day. */
export const SECOND_MS = 1000;
export const MINUTE_MS = 60 * SECOND_MS;
export const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;

/** The number of seconds in a day. */
export const DAY_SECONDS = DAY_MS / SECOND_MS;

/** Converts milliseconds to whole seconds, rounded up: a row or a message never expires too early. */
export const toSeconds = (timeMs: number): number => Math.ceil(timeMs / SECOND_MS);

/** Returns a row's `ttl` attribute: the time, in seconds since the epoch, that lies `days` after `fromMs`. */
export const ttlSeconds = (fromMs: number, days: number): number => toSeconds(fromMs) + days * DAY_SECONDS;

/**
 * Returns whether a row with this `ttl` (seconds since the epoch) has expired at `nowMs`. DynamoDB deletes an expired
 * row days later, so every reader checks this:
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/TTL.html
 */
export const hasExpired = (ttl: number, nowMs: number): boolean => ttl * SECOND_MS <= nowMs;
