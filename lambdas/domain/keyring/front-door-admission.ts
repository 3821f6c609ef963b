import { createHash, timingSafeEqual } from 'node:crypto';

/** What a request may show to be let in: the newest and the one before, so that it can be replaced while requests come. */
export interface FrontDoorSecrets {
  /** As they were minutes ago, if that is known. Throws where they cannot be read. */
  known(): Promise<readonly string[]>;
  /** As they were seconds ago. */
  newest(): Promise<readonly string[]>;
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

/** Compares in a time that tells nothing of the secrets, their length included. */
const isOneOf = (secrets: readonly string[], shown: string): boolean =>
  secrets.some((secret) => timingSafeEqual(digest(secret), digest(shown)));

/** Whether a request came through the front door, by what it shows. */
export const isAdmitted = async (shown: string, secrets: FrontDoorSecrets): Promise<boolean> =>
  isOneOf(await secrets.known(), shown) || isOneOf(await secrets.newest(), shown);
