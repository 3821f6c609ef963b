import type { KeyObject } from 'node:crypto';
import type * as z from 'zod';

/** What a receiver's status means to its profile. `gone`: the receiver asks for no more. */
export type ResponseClass = 'delivered' | 'refused' | 'gone';

/** What is told, to whom, and which delivery it is. Nothing here changes between attempts. */
export interface RenderInput {
  readonly deliveryId: string;
  readonly eventId: string;
  readonly eventType: string;
  /** RFC 3339, UTC, milliseconds. */
  readonly createdAt: string;
  /** The event's `data` as the JSON text it was stored as: it goes into the body as it stands. */
  readonly dataJson: string;
  /** The event's `meta` as JSON text, where its publisher gave one. */
  readonly metaJson: string | null;
  readonly resource: string | null;
  /** The payload version the webhook is pinned to. */
  readonly apiVersion: string;
}

/** A private key of the deployment, with the id under which its public half is published. */
export interface SigningKey {
  readonly kid: string;
  readonly privateKey: KeyObject;
}

/** The deployment's own keys, the newest of each kind. */
export interface SigningKeys {
  readonly ed25519: SigningKey;
  readonly ecdsaP256: SigningKey;
  readonly rsa: SigningKey;
}

/** What may be signed with: the webhook's secrets that sign now, newest first and never none, and the deployment's own keys. */
export interface SigningMaterial extends SigningKeys {
  readonly secrets: readonly [string, ...string[]];
}

/** Headers (lower-case names) and body, made together: the body is the very text that was signed. */
export interface Rendered {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** What one family of receivers expects on the wire, and how patient we are with them. */
export interface Profile<Options = unknown> {
  /** The file's name, the stored value and the log field. */
  readonly name: string;
  /** What `*` means here: the event types, or `*` itself for everything but operational events. */
  readonly events: readonly string[];
  /** What this profile lets a webhook choose; most have nothing. */
  readonly options: z.ZodType<Options>;
  /** Seconds before each retry; its length is the number of retries. */
  readonly schedule: readonly number[];
  /** How the names of this profile's own headers begin, in lower case. No webhook may add such a header, whatever its profile. */
  readonly headerPrefixes: readonly string[];
  /** Payload versions, dates, newest first. */
  readonly apiVersions: readonly string[];
  /** The form an own secret must have. */
  readonly secret: z.ZodType<string>;
  /** `overlap`: the wire carries several signatures, so that all living secrets sign. `switch`: exactly one, so that the old one signs until it expires. */
  readonly rotation: 'overlap' | 'switch';
  judge(status: number): ResponseClass;
  /** Pure: the same arguments give the same bytes, but for the randomness that is part of an ECDSA signature. */
  render(input: RenderInput, material: SigningMaterial, options: Options, sentAt: Date): Rendered;
}
