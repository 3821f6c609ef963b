import { createHash, timingSafeEqual } from 'node:crypto';

/**
 * The secrets of the front door that admit a request: the newest and its predecessor, so that a rotation interrupts no
 * requests.
 */
export interface FrontDoorSecrets {
  /** Returns the secrets, cached for minutes. Throws if they cannot be read. */
  known(): Promise<readonly string[]>;
  /** Returns the secrets, cached for seconds. */
  newest(): Promise<readonly string[]>;
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

/**
 * Returns whether the shown text is one of the secrets. Compares in constant time, which reveals neither a secret nor
 * its length.
 */
const isOneOf = (secrets: readonly string[], shown: string): boolean =>
  secrets.some((secret) => timingSafeEqual(digest(secret), digest(shown)));

/** Returns whether a request came through the front door: its header holds one of the secrets. */
export const isAdmitted = async (shown: string, secrets: FrontDoorSecrets): Promise<boolean> =>
  isOneOf(await secrets.known(), shown) || isOneOf(await secrets.newest(), shown);
