import { generateKeyPairSync, randomBytes } from 'node:crypto';
import type { Profile } from '../deliveries/profile.ts';
import type { SealedSecret, SealPurpose } from './webhook.ts';

/**
 * Generates a webhook's secret: `whsec_` and 32 random bytes in base64. Some profiles sign with this text, others with the
 * 32 bytes.
 */
export const createSecret = (): string => `whsec_${randomBytes(32).toString('base64')}`;

/**
 * Draws an Ed25519 key pair. `publicKey` has the form of Standard Webhooks: `whpk_` and the base64 of 32 bytes.
 * `privateJwk` is the JSON text of the private key as a JWK.
 * https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
 */
const createKeyPair = (): { readonly publicKey: string; readonly privateJwk: string } => {
  const jwk = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' });
  const publicBytes = Buffer.from(jwk.x ?? '', 'base64url');
  return { publicKey: `whpk_${publicBytes.toString('base64')}`, privateJwk: JSON.stringify(jwk) };
};

/**
 * Returns a new secret as a webhook's row holds it, with a key pair of the webhook if the profile signs with one. The
 * secret does not expire.
 */
export const sealSecret = async (
  secret: string,
  profile: Profile,
  seal: (purpose: SealPurpose, text: string) => Promise<string>,
): Promise<SealedSecret> => {
  const sealed = { sealed: await seal('secret', secret), expires_at: null };
  if (profile.signingKey?.({}) !== 'webhook') return sealed;
  const { publicKey, privateJwk } = createKeyPair();
  return { ...sealed, key_pair: { public_key: publicKey, sealed: await seal('key-pair', privateJwk) } };
};

/**
 * Returns the secrets of a webhook that sign now, newest first, at least one. `overlap`: every valid secret signs.
 * `switch`, for one signature: the oldest valid secret signs until it expires, because the receiver may not know a
 * newer one yet. Relies on the rule of `withNewSecret` that no secret outlives a newer one. Throws if the webhook has
 * no secret.
 */
export const signingSecrets = (
  secrets: readonly SealedSecret[],
  rotation: Profile['rotation'],
  nowMs: number,
): readonly [SealedSecret, ...SealedSecret[]] => {
  const [newest, ...older] = secrets;
  if (newest === undefined) throw new Error('a webhook without a secret');
  const valid = older.filter(({ expires_at }) => expires_at !== null && expires_at > nowMs);
  if (rotation === 'overlap') return [newest, ...valid];
  return [valid.at(-1) ?? newest];
};

/**
 * How many valid secrets a webhook may have. Each takes space in the row, and each adds a signature to every attempt if
 * all secrets sign.
 */
export const MOST_SECRETS = 5;

/**
 * Returns a webhook's secrets after a rotation: the new secret, then the older secrets that are still valid. The
 * previous secret expires after the overlap, and no secret outlives a newer one: an overlap of 0 ends all older secrets
 * immediately.
 */
export const withNewSecret = (
  secrets: readonly SealedSecret[],
  newest: SealedSecret,
  overlapMs: number,
  nowMs: number,
): readonly [SealedSecret, ...SealedSecret[]] => {
  const endMs = nowMs + overlapMs;
  const older = secrets
    .map((secret) => ({ ...secret, expires_at: Math.min(secret.expires_at ?? endMs, endMs) }))
    .filter(({ expires_at }) => expires_at > nowMs);
  return [newest, ...older];
};
