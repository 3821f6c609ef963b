import { createPublicKey } from 'node:crypto';
import { PassPostError } from '../foundation/errors.ts';
import { SECOND_MS } from '../foundation/time.ts';
import { nextSwitchMs, type PublicKeys, type SigningAlg, signerAt } from './keyring.ts';

type PublicKey = PublicKeys['jwks']['keys'][number];

const algs = ['EdDSA', 'ES256', 'RS256'] as const;

/**
 * Returns the deployment's JSON Web Key Set. The keys that sign now come first, because some receivers take the first
 * key; the others are newest first.
 */
export const publishedJwks = ({ jwks: { keys } }: PublicKeys, nowMs: number): { readonly keys: readonly object[] } => {
  const signers = algs.flatMap((alg) => signerAt(keys, alg, nowMs) ?? []);
  const others = keys.filter((key) => !signers.includes(key));
  return { keys: [...signers, ...others].map(({ signs_from, ...jwk }) => jwk) };
};

const toPem = (jwk: PublicKey): string =>
  createPublicKey({ key: jwk, format: 'jwk' }).export({ type: 'spki', format: 'pem' }).toString();

/**
 * Returns the public key whose private half signs now with an algorithm, as PEM (SPKI), for receivers that use a single
 * key. Throws `unavailable` if no key of the algorithm signs now.
 */
export const publicKeyPem = ({ jwks: { keys } }: PublicKeys, alg: SigningAlg, nowMs: number): string => {
  const jwk = signerAt(keys, alg, nowMs);
  if (!jwk) throw new PassPostError('unavailable', `This deployment has no ${alg} key yet.`);
  return toPem(jwk);
};

/**
 * Returns the key of an algorithm that signs next, as PEM, and the time from which it signs. `null` if no key waits for
 * its time.
 */
export const nextPublicKeyPem = (
  { jwks: { keys } }: PublicKeys,
  alg: SigningAlg,
  nowMs: number,
): { readonly pem: string; readonly signsFrom: string } | null => {
  const switchMs = nextSwitchMs(keys, nowMs);
  const jwk = Number.isFinite(switchMs) ? signerAt(keys, alg, switchMs) : undefined;
  return jwk ? { pem: toPem(jwk), signsFrom: new Date(switchMs).toISOString() } : null;
};

/**
 * Returns the seconds for which a response with a single signing key may be cached: at most five minutes, and never
 * past the time at which the next key begins to sign.
 */
export const cacheSeconds = ({ jwks: { keys } }: PublicKeys, nowMs: number): number =>
  Math.min(300, Math.floor((nextSwitchMs(keys, nowMs) - nowMs) / SECOND_MS));
