import { createHash, timingSafeEqual } from 'node:crypto';

/**
 * Reads the secrets that CloudFront sends with its requests. Both the newest secret and its predecessor admit a
 * request, so that a rotation interrupts no requests.
 */
export interface FrontDoorSecrets {
  /**
   * Returns the newest of CloudFront's secrets and its predecessor, cached for minutes. Throws if they cannot be read.
   */
  known(): Promise<readonly string[]>;
  /**
   * Returns the newest of CloudFront's secrets and its predecessor, cached only for seconds, so that a new secret is
   * soon known.
   */
  newest(): Promise<readonly string[]>;
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

/**
 * Returns whether a text, which a request sent as its secret, equals one of the given secrets. Compares in constant
 * time, which reveals neither a secret nor its length.
 */
const isOneOf = (secrets: readonly string[], shown: string): boolean =>
  secrets.some((secret) => timingSafeEqual(digest(secret), digest(shown)));

/**
 * Returns whether a request came through CloudFront: the text that it sent as its secret is one of CloudFront's
 * secrets.
 */
export const isAdmitted = async (shown: string, secrets: FrontDoorSecrets): Promise<boolean> =>
  isOneOf(await secrets.known(), shown) || isOneOf(await secrets.newest(), shown);
