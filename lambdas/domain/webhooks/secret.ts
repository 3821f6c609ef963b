import { randomBytes } from 'node:crypto';
import type { Profile } from '../deliveries/profile.ts';
import type { SealedSecret } from './webhook.ts';

/** A secret for a webhook that brought none. One form serves every profile: some take it as text, some for the 32 bytes in it. */
export const createSecret = (): string => `whsec_${randomBytes(32).toString('base64')}`;

/**
 * The secrets that sign now, newest first and never none. With `overlap` every living one does; with `switch`, where
 * only one signature fits, the oldest living one until it expires, because its receiver need not know a newer one yet.
 * Relies on no secret outliving a newer one, which whoever rotates sees to.
 */
export const signingSecrets = (
  secrets: readonly SealedSecret[],
  rotation: Profile['rotation'],
  nowMs: number,
): readonly [SealedSecret, ...SealedSecret[]] => {
  const [newest, ...older] = secrets;
  if (newest === undefined) throw new Error('a webhook without a secret');
  const living = older.filter(({ expires_at }) => expires_at !== null && expires_at > nowMs);
  if (rotation === 'overlap') return [newest, ...living];
  return [living.at(-1) ?? newest];
};

/** Secrets that may live side by side; each costs room in the row, and one signature where all of them sign. */
export const MOST_SECRETS = 5;

/**
 * A rotation: the new secret first, behind it those that still live. The one before lives for the overlap and none
 * longer than one that is newer, so that an overlap of nothing ends them all at once.
 */
export const withNewSecret = (
  secrets: readonly SealedSecret[],
  sealed: string,
  overlapMs: number,
  nowMs: number,
): readonly [SealedSecret, ...SealedSecret[]] => {
  const endMs = nowMs + overlapMs;
  const older = secrets
    .map((secret) => ({ ...secret, expires_at: Math.min(secret.expires_at ?? endMs, endMs) }))
    .filter(({ expires_at }) => expires_at > nowMs);
  return [{ sealed, expires_at: null }, ...older];
};
