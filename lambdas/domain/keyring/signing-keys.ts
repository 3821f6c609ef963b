import { createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import * as z from 'zod';
import { type SigningAlg, signingAlgs } from '../deliveries/profile.ts';
import { rowVersion } from '../foundation/row-version.ts';
import { SECOND_MS } from '../foundation/time.ts';
import { drawKid, type Jwk, jwkSchema, toJwk } from './keyring.ts';

const storedSigningKeySchema = z.object({
  kid: z.string(),
  created_at: z.string(),
  /** When the key begins to sign, in milliseconds since the epoch; 0 of an owner's first key. */
  signs_from: z.number(),
  /** The public key. */
  jwk: jwkSchema,
  /** The sealed private key, a JWK; null once the key can never sign again. */
  sealed: z.string().nullable(),
});
export type StoredSigningKey = z.infer<typeof storedSigningKeySchema>;

/** The signing keys of one owner and algorithm, newest first. Only the deliver function can open `sealed` values. */
export const storedSigningKeysSchema = z.object({
  v: rowVersion,
  /** The account that signs with the keys, and its mode: `acc_…#live`. */
  owner: z.string(),
  alg: z.enum(signingAlgs),
  /** The version of the row, raised by every change. */
  version: z.number(),
  keys: z.array(storedSigningKeySchema).min(1),
});
export type StoredSigningKeys = z.infer<typeof storedSigningKeysSchema>;

/** A signing key as the API shows it. */
export const signingKeyViewSchema = z
  .object({
    kid: z.string(),
    algorithm: z.enum(signingAlgs),
    public_key_pem: z.string().meta({ description: 'The public key as PEM (SPKI).' }),
    status: z.enum(['next', 'current', 'previous']).meta({
      description: '`next` is published and does not sign yet; `current` signs; `previous` has signed before.',
    }),
    signs_from: z.iso.datetime().meta({ description: 'When the key begins or began to sign.' }),
    created_at: z.iso.datetime(),
  })
  .meta({ id: 'SigningKey' });
export type SigningKeyView = z.infer<typeof signingKeyViewSchema>;

/** Returns the key that signs at a time: the newest key whose time has come. `keys` are newest first. */
export const signerAt = (keys: readonly StoredSigningKey[], atMs: number): StoredSigningKey | undefined =>
  keys.find(({ signs_from }) => signs_from <= atMs);

const statusOf = (
  key: StoredSigningKey,
  keys: readonly StoredSigningKey[],
  nowMs: number,
): SigningKeyView['status'] => {
  if (key.signs_from > nowMs) return 'next';
  return key === signerAt(keys, nowMs) ? 'current' : 'previous';
};

/** Returns the public key as PEM (SPKI). */
export const toPem = ({ jwk }: StoredSigningKey): string =>
  createPublicKey({ key: jwk, format: 'jwk' }).export({ type: 'spki', format: 'pem' }).toString();

/** Returns the keys of an algorithm as the API shows them, newest first. */
export const signingKeyViews = ({ alg, keys }: StoredSigningKeys, nowMs: number): SigningKeyView[] =>
  keys.map((key) => ({
    kid: key.kid,
    algorithm: alg,
    public_key_pem: toPem(key),
    status: statusOf(key, keys, nowMs),
    signs_from: key.signs_from === 0 ? key.created_at : new Date(key.signs_from).toISOString(),
    created_at: key.created_at,
  }));

/**
 * Returns an owner's JSON Web Key Set (RFC 7517). The keys that sign now come first, because some receivers take the
 * first key; the others are newest first.
 */
export const publishedJwks = (
  all: readonly StoredSigningKeys[],
  nowMs: number,
): { readonly keys: readonly object[] } => {
  const published = all.flatMap(({ alg, keys }) =>
    keys.map((key) => ({
      isCurrent: statusOf(key, keys, nowMs) === 'current',
      jwk: { ...key.jwk, kid: key.kid, alg, use: 'sig' },
    })),
  );
  return { keys: published.toSorted((a, b) => Number(b.isCurrent) - Number(a.isCurrent)).map(({ jwk }) => jwk) };
};

/**
 * Returns the seconds for which an answer with public keys may be cached: at most five minutes, and never past the time
 * at which the next key begins to sign.
 */
export const cacheSeconds = (all: readonly StoredSigningKeys[], nowMs: number): number => {
  const starts = all.flatMap(({ keys }) => keys.map(({ signs_from }) => signs_from)).filter((ms) => ms > nowMs);
  return Math.min(300, Math.floor((Math.min(...starts) - nowMs) / SECOND_MS));
};

/** Draws a key pair: the public key, and the private key as the JSON text of a JWK. RSA keys have 2,048 bits. */
export const drawSigningKey = (
  alg: SigningAlg,
): { readonly kid: string; readonly jwk: Jwk; readonly privateJwk: string } => {
  const { publicKey, privateKey } = generators[alg]();
  return { kid: drawKid(), jwk: toJwk(publicKey), privateJwk: JSON.stringify(toJwk(privateKey)) };
};

interface KeyPair {
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}
const generators: Readonly<Record<SigningAlg, () => KeyPair>> = {
  ES256: () => generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  RS256: () => generateKeyPairSync('rsa', { modulusLength: 2048 }),
  EdDSA: () => generateKeyPairSync('ed25519'),
};
