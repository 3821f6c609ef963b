import { PassPostError } from '../foundation/errors.ts';

/** The maximum number of API keys of an account that are neither revoked nor expired. */
const MAX_LIVING_KEYS = 100;

/** An API key's id and hash, as the list of the account's keys has them. */
export interface ListedApiKey {
  readonly id: string;
  readonly hash: string;
}

/** An account's list of API keys, newest first, as it was read. */
export interface ApiKeyList {
  /** The version of the list. Every new key raises it; 0 = no key was added after the first. */
  readonly version: number;
  /** Whether the requests of all keys count for the account. Once they do, they always do. */
  readonly countsForAccount: boolean;
  readonly living: readonly ListedApiKey[];
  readonly expired: readonly ListedApiKey[];
}

/**
 * Returns the number of API keys that the account has ever had, revoked keys included: a key that was replaced may have
 * used its limit in the running minute. Earlier releases did not count, so the keys of their lists are counted.
 */
export const keysEverMade = ({ version, living, expired }: ApiKeyList): number =>
  Math.max(version + 1, living.length + expired.length);

/** Throws `too_many_keys` if an account may not get another API key. */
export const requireRoom = ({ living }: ApiKeyList): void => {
  if (living.length < MAX_LIVING_KEYS) return;
  const message = `An account has at most ${MAX_LIVING_KEYS} API keys that are not expired. Revoke a key first.`;
  throw new PassPostError('too_many_keys', message, { errors: [{ path: '', code: 'too_many_keys', message }] });
};
