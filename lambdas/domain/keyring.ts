import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto';
import * as z from 'zod';
import type { SigningKey, SigningKeys } from './profile.ts';

const jwkSchema = z.looseObject({ kty: z.string() });
const sealingKeySchema = z.object({ kid: z.string(), jwk: jwkSchema });
const signingKeySchema = z.object({ kid: z.string(), alg: z.enum(['EdDSA', 'ES256', 'RS256']), jwk: jwkSchema });

/** The deployment's private keys, newest first: pairs (X25519) that webhooks' secrets are sealed to, and keys that sign. */
export const keyringSchema = z.object({
  v: z.literal(1),
  sealing: z.array(sealingKeySchema).min(1),
  signing: z.array(signingKeySchema).min(1),
});
export type KeyringContent = z.infer<typeof keyringSchema>;

/** What of the keyring anybody may know: the newest key to seal to, and the public halves of all that sign. */
export const publicKeysSchema = z.object({
  sealing: sealingKeySchema,
  jwks: z.object({ keys: z.array(jwkSchema) }),
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
  const signing = (alg: KeyringContent['signing'][number]['alg'], { privateKey }: { privateKey: KeyObject }) => ({
    kid: drawKid(),
    alg,
    jwk: toJwk(privateKey),
  });
  return {
    v: 1,
    sealing: [{ kid: drawKid(), jwk: toJwk(generateKeyPairSync('x25519').privateKey) }],
    signing: [
      signing('EdDSA', generateKeyPairSync('ed25519')),
      signing('ES256', generateKeyPairSync('ec', { namedCurve: 'P-256' })),
      signing('RS256', generateKeyPairSync('rsa', { modulusLength: 2048 })),
    ],
  };
};

export const publicKeysOf = (keyring: KeyringContent): PublicKeys => {
  const [newest] = keyring.sealing;
  if (newest === undefined) throw new Error('a keyring without a sealing key');
  return {
    sealing: { kid: newest.kid, jwk: publicHalf(newest.jwk) },
    jwks: { keys: keyring.signing.map(({ kid, alg, jwk }) => ({ ...publicHalf(jwk), kid, alg, use: 'sig' })) },
  };
};

/** What signs: of each kind the newest. */
export const signingKeysOf = (keyring: KeyringContent): SigningKeys => {
  const newest = (wanted: KeyringContent['signing'][number]['alg']): SigningKey => {
    const found = keyring.signing.find(({ alg }) => alg === wanted);
    if (found === undefined) throw new Error(`the keyring has no ${wanted} key`);
    return { kid: found.kid, privateKey: createPrivateKey({ key: found.jwk, format: 'jwk' }) };
  };
  return { ed25519: newest('EdDSA'), ecdsaP256: newest('ES256'), rsa: newest('RS256') };
};
