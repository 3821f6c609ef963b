import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto';
import * as z from 'zod';
import type { SigningKey, SigningKeys } from '../deliveries/profile.ts';

const jwkSchema = z.looseObject({ kty: z.string() });
const algSchema = z.enum(['EdDSA', 'ES256', 'RS256']);
export type SigningAlg = z.infer<typeof algSchema>;
/** Milliseconds since the epoch. `null`: it is not published yet, so it does not sign. Absent, as in a deployment's first keys: it signs. */
const signsFromSchema = z.number().nullable().default(0);
const sealingKeySchema = z.looseObject({ kid: z.string(), jwk: jwkSchema });
const signingKeySchema = z.looseObject({
  kid: z.string(),
  alg: algSchema,
  signs_from: signsFromSchema,
  jwk: jwkSchema,
});

/**
 * The deployment's private keys, newest first: pairs (X25519) that webhooks' secrets are sealed to, and keys that sign.
 * Members may be added as long as a release that does not know them still does right without them: it keeps what it does
 * not know when it writes. Anything else is another `v`, which a release must be able to read before one writes it.
 */
const keyringSchema = z.looseObject({
  v: z.literal(1),
  /** Raised by every change, so that an older public part never takes a newer one's place. */
  revision: z.number().default(0),
  sealing: z.array(sealingKeySchema).min(1),
  signing: z.array(signingKeySchema).min(1),
});
export type KeyringContent = z.infer<typeof keyringSchema>;

/** What of the keyring anybody may know: the newest key to seal to, and the public halves of all that sign, will sign or did. */
export const publicKeysSchema = z.object({
  revision: z.number().default(0),
  sealing: z.object({ kid: z.string(), jwk: jwkSchema }),
  jwks: z.object({
    keys: z.array(jwkSchema.extend({ kid: z.string(), alg: algSchema, signs_from: signsFromSchema })),
  }),
});
export type PublicKeys = z.infer<typeof publicKeysSchema>;

/** Reads the keyring's text. What is wrong with it is not told: a parser's message quotes what it read. */
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

/** A new deployment's keyring: one pair to seal with and one key of each kind to sign with. */
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

/** What of a kind signs at that time: the newest whose time has come. Keys stand newest first, and none signs before an older one. */
export const signerAt = <K extends Timed>(keys: readonly K[], alg: SigningAlg, atMs: number): K | undefined =>
  keys.find((key) => key.alg === alg && key.signs_from !== null && key.signs_from <= atMs);

/** When what signs changes next; `Infinity` while nothing waits for its time. */
export const nextSwitchMs = (keys: readonly Timed[], atMs: number): number =>
  Math.min(
    ...keys.map(({ signs_from }) => (signs_from !== null && signs_from > atMs ? signs_from : Number.POSITIVE_INFINITY)),
  );

/** What signs at that time, of each kind. */
export const signingKeysOf = ({ signing }: KeyringContent, atMs: number): SigningKeys => {
  const signer = (alg: SigningAlg): SigningKey => {
    const found = signerAt(signing, alg, atMs);
    if (found === undefined) throw new Error(`the keyring has no ${alg} key`);
    return { kid: found.kid, privateKey: createPrivateKey({ key: found.jwk, format: 'jwk' }) };
  };
  return { ed25519: signer('EdDSA'), ecdsaP256: signer('ES256'), rsa: signer('RS256') };
};
