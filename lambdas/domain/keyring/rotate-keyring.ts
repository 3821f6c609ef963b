import * as z from 'zod';
import { PassPostError } from '../foundation/errors.ts';
import { createKeyring, type KeyringContent, type PublicKeys, parseKeyring, publicKeysOf } from './keyring.ts';

export const rotationSchema = z.strictObject({ operation: z.literal('rotate-keyring') });

/** The result of a rotation. It holds only an id, no secret. */
export interface Rotation {
  /** The id of the sealing pair to which texts are sealed from now on. */
  readonly sealing_kid: string;
}

/** The secret that holds the keyring. */
export interface KeyringSecret {
  /** Returns the secret's value, or null while the secret is empty. */
  read(): Promise<string | null>;
  /**
   * Replaces the value `before` unless a concurrent run replaced it first. Returns the value that the secret holds now.
   */
  replace(before: string, after: string): Promise<string>;
}

export interface RotationDependencies {
  readonly keyring: KeyringSecret;
  /** Publishes the public key unless a newer one is published. */
  readonly putPublicKeys: (keys: PublicKeys) => Promise<void>;
}

/**
 * The maximum number of bytes of the keyring's secret: the limit of Secrets Manager, enough for about 270 rotations. No
 * sealing pair (some 200 bytes) is ever removed, because texts may be sealed to it.
 */
const MOST_BYTES = 65_536;

const withNewPair = (keyring: KeyringContent): KeyringContent => ({
  ...keyring,
  revision: keyring.revision + 1,
  sealing: [...createKeyring().sealing, ...keyring.sealing],
});

/**
 * Adds a sealing pair to the keyring. New texts are sealed to it; older texts stay sealed to the older pairs. The secret
 * gets the pair before it is published, so that the deliver function can open every text. A run that dies in between
 * leaves a pair to which nothing is sealed, and the next run adds another. Throws `unavailable` without a keyring,
 * `conflict` if the secret is full.
 */
export const rotateKeyring = async ({ keyring: secret, putPublicKeys }: RotationDependencies): Promise<Rotation> => {
  const before = await secret.read();
  if (before === null) throw new PassPostError('unavailable', 'This deployment has no keyring yet.');
  const text = JSON.stringify(withNewPair(parseKeyring(before)));
  if (Buffer.byteLength(text) > MOST_BYTES) {
    throw new PassPostError('conflict', `The keyring is full: its secret takes ${MOST_BYTES} bytes.`);
  }
  const keys = publicKeysOf(parseKeyring(await secret.replace(before, text)));
  await putPublicKeys(keys);
  return { sealing_kid: keys.sealing.kid };
};
