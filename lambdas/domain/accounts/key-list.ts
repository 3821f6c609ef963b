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
  readonly living: readonly ListedApiKey[];
  readonly expired: readonly ListedApiKey[];
}

/** Throws `too_many_keys` if an account may not get another API key. */
export const requireRoom = ({ living }: ApiKeyList): void => {
  if (living.length < MAX_LIVING_KEYS) return;
  const message = `An account has at most ${MAX_LIVING_KEYS} API keys that are not expired. Revoke a key first.`;
  throw new PassPostError('too_many_keys', message, { errors: [{ path: '', code: 'too_many_keys', message }] });
};
