import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto';
import * as z from 'zod';

export const jwkSchema = z.looseObject({ kty: z.string() });
export type Jwk = z.infer<typeof jwkSchema>;

/**
 * The deployment's private keys, newest first: X25519 pairs that open sealed texts. A release may add members if older
 * releases, which preserve unknown members when they write, still work. Any other change needs a new format version `v`,
 * and one release must be able to read that version before another writes it.
 */
const keyringSchema = z.looseObject({
  v: z.literal(1),
  /** The version of the keyring. Every change raises it, so that an older public key never overwrites a newer one. */
  revision: z.number().default(0),
  sealing: z.array(z.looseObject({ kid: z.string(), jwk: jwkSchema })).min(1),
});
export type KeyringContent = z.infer<typeof keyringSchema>;

/** The public part of the keyring: the public half of the newest sealing pair. */
export const publicKeysSchema = z.object({
  revision: z.number().default(0),
  sealing: z.object({ kid: z.string(), jwk: jwkSchema }),
});
export type PublicKeys = z.infer<typeof publicKeysSchema>;

/** Parses the keyring's secret. The error gives no details, because a parser's message quotes its input. */
export const parseKeyring = (text: string): KeyringContent => {
  let parsed: ReturnType<typeof keyringSchema.safeParse> | undefined;
  try {
    parsed = keyringSchema.safeParse(JSON.parse(text));
  } catch {
    parsed = undefined;
  }
  if (!parsed?.success) throw new Error('the keyring secret does not hold a keyring of this version');
  return parsed.data;
};

export const toJwk = (key: KeyObject): Jwk => jwkSchema.parse(key.export({ format: 'jwk' }));

/** Draws the id of a key: 16 characters. */
export const drawKid = (): string => randomBytes(12).toString('base64url');

/** Draws a new keyring with one sealing pair. */
export const createKeyring = (): KeyringContent => ({
  v: 1,
  revision: 0,
  sealing: [{ kid: drawKid(), jwk: toJwk(generateKeyPairSync('x25519').privateKey) }],
});

/** Returns the public part of a keyring. Throws if the keyring has no sealing pair. */
export const publicKeysOf = ({ revision, sealing: [newest] }: KeyringContent): PublicKeys => {
  if (newest === undefined) throw new Error('a keyring without a sealing pair');
  const publicHalf = createPublicKey(createPrivateKey({ key: newest.jwk, format: 'jwk' }));
  return { revision, sealing: { kid: newest.kid, jwk: toJwk(publicHalf) } };
};
