import type { KeyObject } from 'node:crypto';
import type * as z from 'zod';

/** The class of a receiver's HTTP status. `gone`: the receiver wants no further deliveries. */
export type ResponseClass = 'delivered' | 'refused' | 'gone';

/**
 * The input for a request's headers and body. It is the same for all attempts of a delivery, unless the webhook's
 * `api_version` changes.
 */
export interface RenderInput {
  readonly deliveryId: string;
  readonly eventId: string;
  readonly eventType: string;
  /** The event's time of creation: RFC 3339, UTC, with milliseconds. */
  readonly createdAt: string;
  /** The event's `data` as the stored JSON text. It goes into the body unchanged. */
  readonly dataJson: string;
  /** The event's `meta` as JSON text; null if the publisher gave none. */
  readonly metaJson: string | null;
  readonly resource: string | null;
  /** The payload version to which the webhook is pinned. */
  readonly apiVersion: string;
}

/** The algorithms of digital signatures, as JSON Web Algorithms names them (RFC 7518, RFC 8037). */
export const signingAlgs = ['ES256', 'RS256', 'EdDSA'] as const;
export type SigningAlg = (typeof signingAlgs)[number];

/**
 * The private keys that make the digital signatures of a webhook's requests: `webhook` = key pairs of the webhook itself,
 * an algorithm = the account's key of this algorithm, null = none.
 */
export type SigningKeySource = 'webhook' | SigningAlg | null;

/** The keys that sign a request. */
export interface SigningMaterial {
  /** The webhook's current secrets, newest first. */
  readonly secrets: readonly [string, ...string[]];
  /** The private keys of the profile's `signingKey`, newest first; several only for `webhook`. */
  readonly privateKeys: readonly KeyObject[];
}

/** Returns the private key of a profile whose options need exactly one. Throws if there is none. */
export const privateKeyOf = ({ privateKeys: [key] }: SigningMaterial): KeyObject => {
  if (key === undefined) throw new Error('the signing material has no private key');
  return key;
};

/** Headers (with lower-case names) and body of a request. The body is exactly the text that was signed. */
export interface Rendered {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** The request format that one family of receivers expects, and the schedule of their retries. */
export interface Profile<Options = unknown> {
  /** The name of the profile's file. Webhook rows and log lines hold it. */
  readonly name: string;
  /**
   * The event types that `*` in a webhook's events selects. `*` in this list selects all types except operational ones.
   */
  readonly events: readonly string[];
  /** Options that a webhook of this profile can set. Most profiles have none. */
  readonly options: z.ZodType<Options>;
  /** The profile's retry schedule: the seconds before each retry. Its length is the number of retries. */
  readonly schedule: readonly number[];
  /**
   * Prefixes of the names of this profile's own headers, in lower case. No webhook of any profile may add a header with
   * such a prefix.
   */
  readonly headerPrefixes: readonly string[];
  /** The payload versions of this profile, as dates, newest first. */
  readonly apiVersions: readonly string[];
  /** The format of a signing secret that an account chooses itself. */
  readonly secret: z.ZodType<string>;
  /**
   * How a request is signed after a rotation of the secret. `overlap`: one signature by each valid secret. `switch`: only
   * one signature, by the old secret until it expires.
   */
  readonly rotation: 'overlap' | 'switch';
  /** Returns the source of the private keys that sign with these options. Absent: no options need one. */
  signingKey?(options: Options): SigningKeySource;
  classify(status: number): ResponseClass;
  /**
   * Returns the headers and the body of a request. Pure: the same arguments give the same bytes, except for the
   * randomness in an ECDSA signature.
   */
  render(input: RenderInput, material: SigningMaterial, options: Options, sentAt: Date): Rendered;
}
