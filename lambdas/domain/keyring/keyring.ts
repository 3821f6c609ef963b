import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto';
import * as z from 'zod';
import type { SigningKey, SigningKeys } from '../deliveries/profile.ts';

const jwkSchema = z.looseObject({ kty: z.string() });
const algSchema = z.enum(['EdDSA', 'ES256', 'RS256']);
export type SigningAlg = z.infer<typeof algSchema>;
/**
 * When a signing key begins to sign, in milliseconds since the epoch. `null` = not decided: the key is not published
 * yet, so it does not sign. Absent in a deployment's first keys: they sign from the start.
 */
const signsFromSchema = z.number().nullable().default(0);
const sealingKeySchema = z.looseObject({ kid: z.string(), jwk: jwkSchema });
const signingKeySchema = z.looseObject({
  kid: z.string(),
  alg: algSchema,
  signs_from: signsFromSchema,
  jwk: jwkSchema,
});

/**
 * The deployment's private keys, newest first: X25519 pairs that seal webhooks' secrets, and signing keys. A release
 * may add members if older releases, which preserve unknown members when they write, still work. Any other change needs
 * a new format version `v`, and one release must be able to read that version before another writes it.
 */
const keyringSchema = z.looseObject({
  v: z.literal(1),
  /** The version of the keyring. Every change raises it, so that older public keys never overwrite newer ones. */
  revision: z.number().default(0),
  sealing: z.array(sealingKeySchema).min(1),
  signing: z.array(signingKeySchema).min(1),
});
export type KeyringContent = z.infer<typeof keyringSchema>;

/**
 * The public part of the keyring: the newest sealing key, and the public halves of all signing keys, past, current and
 * future.
 */
export const publicKeysSchema = z.object({
  revision: z.number().default(0),
  sealing: z.object({ kid: z.string(), jwk: jwkSchema }),
  jwks: z.object({
    keys: z.array(jwkSchema.extend({ kid: z.string(), alg: algSchema, signs_from: signsFromSchema })),
  }),
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

type Jwk = z.infer<typeof jwkSchema>;

const toJwk = (key: KeyObject): Jwk => jwkSchema.parse(key.export({ format: 'jwk' }));
const publicHalf = (jwk: Jwk): Jwk => toJwk(createPublicKey(createPrivateKey({ key: jwk, format: 'jwk' })));
const drawKid = (): string => randomBytes(12).toString('base64url');

/** Draws a new keyring: one sealing pair and one signing key of each algorithm. */
export const createKeyring = (): KeyringContent => {
  const signing = (alg: SigningAlg, { privateKey }: { privateKey: KeyObject }) => ({
    kid: drawKid(),
    alg,
    signs_from: 0,
    jwk: toJwk(privateKey),
  });
  return {
    v: 1,
    revision: 0,
    sealing: [{ kid: drawKid(), jwk: toJwk(generateKeyPairSync('x25519').privateKey) }],
    signing: [
      signing('EdDSA', generateKeyPairSync('ed25519')),
      signing('ES256', generateKeyPairSync('ec', { namedCurve: 'P-256' })),
      signing('RS256', generateKeyPairSync('rsa', { modulusLength: 2048 })),
    ],
  };
};

/** Returns the public part of a keyring. Throws if the keyring has no sealing key. */
export const publicKeysOf = ({ revision, sealing, signing }: KeyringContent): PublicKeys => {
  const [newest] = sealing;
  if (newest === undefined) throw new Error('a keyring without a sealing key');
  return {
    revision,
    sealing: { kid: newest.kid, jwk: publicHalf(newest.jwk) },
    jwks: {
      keys: signing.map(({ kid, alg, signs_from, jwk }) => ({ ...publicHalf(jwk), kid, alg, use: 'sig', signs_from })),
    },
  };
};

interface Timed {
  readonly alg: SigningAlg;
  readonly signs_from: number | null;
}

/**
 * Returns the key of an algorithm that signs at a time: the newest key whose time has come. `keys` are newest first.
 */
export const signerAt = <K extends Timed>(keys: readonly K[], alg: SigningAlg, atMs: number): K | undefined =>
  keys.find((key) => key.alg === alg && key.signs_from !== null && key.signs_from <= atMs);

/**
 * Returns the next time after `atMs` (milliseconds) at which another key begins to sign. `Infinity` if no key waits for
 * its time.
 */
export const nextSwitchMs = (keys: readonly Timed[], atMs: number): number =>
  Math.min(
    ...keys.map(({ signs_from }) => (signs_from !== null && signs_from > atMs ? signs_from : Number.POSITIVE_INFINITY)),
  );

/** Returns the key of each algorithm that signs at a time. Throws if an algorithm has none. */
export const signingKeysOf = ({ signing }: KeyringContent, atMs: number): SigningKeys => {
  const signer = (alg: SigningAlg): SigningKey => {
    const key = signerAt(signing, alg, atMs);
    if (key === undefined) throw new Error(`the keyring has no ${alg} key`);
    return { kid: key.kid, privateKey: createPrivateKey({ key: key.jwk, format: 'jwk' }) };
  };
  return { ed25519: signer('EdDSA'), ecdsaP256: signer('ES256'), rsa: signer('RS256') };
};
