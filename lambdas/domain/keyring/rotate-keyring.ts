import * as z from 'zod';
import { PassPostError } from '../foundation/errors.ts';
import { DAY_SECONDS, SECOND_MS } from '../foundation/time.ts';
import { createKeyring, type KeyringContent, type PublicKeys, parseKeyring, publicKeysOf } from './keyring.ts';

/**
 * Twice the time a published key may need to reach everyone: five minutes in our functions and five more in receivers
 * that obey our cache headers. A rotation writes its secret twice, so this also respects Secrets Manager's limit of one
 * version per ten minutes. https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_limits.html
 */
const SHORTEST_WAIT_SECONDS = 1200;

export const rotationSchema = z.strictObject({
  operation: z.literal('rotate-keyring'),
  /** Seconds for which the new keys are published before they sign. */
  signs_in_seconds: z
    .int()
    .min(SHORTEST_WAIT_SECONDS)
    .max(30 * DAY_SECONDS)
    .default(DAY_SECONDS),
});

/** The result of a rotation. It holds only ids and times, no secrets. */
export interface Rotation {
  /**
   * False if earlier keys were still waiting for their time: the rotation continued with these and made no new keys.
   */
  readonly added: boolean;
  readonly sealing_kid: string;
  readonly signing_kids: readonly string[];
  readonly signs_from: string;
}

/** The secret that holds the keyring. */
export interface KeyringSecret {
  /** The value, or null while the secret is empty. */
  read(): Promise<string | null>;
  /**
   * Replaces the value that was read unless a concurrent run replaced it first. Answers the value that it holds now.
   */
  replace(before: string, after: string): Promise<string>;
}

export interface RotationDependencies {
  readonly keyring: KeyringSecret;
  /** Publishes the keys unless newer keys are published. */
  readonly putPublicKeys: (keys: PublicKeys) => Promise<void>;
  readonly clock: () => number;
}

/**
 * Signing keys stored per algorithm: a key is removed by the tenth rotation after its own. Sealing pairs (160 bytes)
 * are never removed.
 */
const MAX_GENERATIONS = 10;
/** Limit of a secret in Secrets Manager; enough for about 270 rotations. */
const MOST_BYTES = 65_536;

/** The keyring as it was read, and its text: a replacement requires that the secret still has this text. */
interface ReadKeyring {
  readonly text: string;
  readonly keyring: KeyringContent;
}

const readKeyring = (text: string): ReadKeyring => ({ text, keyring: parseKeyring(text) });

type SigningEntry = KeyringContent['signing'][number];

const isWaiting = ({ signs_from }: SigningEntry, nowMs: number): boolean => signs_from === null || signs_from > nowMs;

/** Adds a sealing pair and a signing key of each algorithm. The signing keys have no time yet, so they do not sign. */
const withNewKeys = (keyring: KeyringContent): KeyringContent => {
  const { sealing, signing } = createKeyring();
  return {
    ...keyring,
    revision: keyring.revision + 1,
    sealing: [...sealing, ...keyring.sealing],
    signing: [...signing.map((key) => ({ ...key, signs_from: null })), ...keyring.signing].slice(
      0,
      MAX_GENERATIONS * signing.length,
    ),
  };
};

/** Gives each waiting key this time, unless the key has an earlier one. Answers the same object if nothing changes. */
const withTimes = (keyring: KeyringContent, signsFromMs: number, nowMs: number): KeyringContent => {
  const isHurried = (key: SigningEntry): boolean =>
    isWaiting(key, nowMs) && (key.signs_from === null || key.signs_from > signsFromMs);
  if (!keyring.signing.some(isHurried)) return keyring;
  return {
    ...keyring,
    revision: keyring.revision + 1,
    signing: keyring.signing.map((key) => (isHurried(key) ? { ...key, signs_from: signsFromMs } : key)),
  };
};

/**
 * Adds a sealing pair and a signing key of each algorithm. Published keys are derived from the secret, and no key signs
 * before it is published:
 *
 * ```text
 * secret: keys without a time ──▶ published ──▶ secret: their time ──▶ published with it ── … ──▶ they sign
 * ```
 *
 * If a run dies in between, its keys wait and the next run continues with them. While keys wait, no new keys are added;
 * a run can then move their time forward but not back. Throws `unavailable` without a keyring, `conflict` if the secret
 * is full.
 */
export const rotateKeyring = async (
  { keyring: secret, putPublicKeys, clock }: RotationDependencies,
  signsInSeconds: number,
): Promise<Rotation> => {
  const replace = async (before: ReadKeyring, after: KeyringContent): Promise<ReadKeyring> => {
    if (after === before.keyring) return before;
    const text = JSON.stringify(after);
    if (Buffer.byteLength(text) > MOST_BYTES) {
      throw new PassPostError('conflict', `The keyring is full: its secret takes ${MOST_BYTES} bytes.`);
    }
    return readKeyring(await secret.replace(before.text, text));
  };

  const text = await secret.read();
  if (text === null) throw new PassPostError('unavailable', 'This deployment has no keyring yet.');
  const before = readKeyring(text);
  const hasWaiting = before.keyring.signing.some((key) => isWaiting(key, clock()));
  const wanted = hasWaiting ? before.keyring : withNewKeys(before.keyring);
  const grown = await replace(before, wanted);
  await putPublicKeys(publicKeysOf(grown.keyring));

  const nowMs = clock();
  const timed = await replace(grown, withTimes(grown.keyring, nowMs + signsInSeconds * SECOND_MS, nowMs));
  await putPublicKeys(publicKeysOf(timed.keyring));

  const { sealing, signing } = timed.keyring;
  const waiting = signing.filter((key) => isWaiting(key, nowMs));
  return {
    added: !hasWaiting && sealing[0]?.kid === wanted.sealing[0]?.kid,
    sealing_kid: sealing[0]?.kid ?? '',
    signing_kids: waiting.map(({ kid }) => kid),
    signs_from: new Date(Math.max(...waiting.map(({ signs_from }) => signs_from ?? 0))).toISOString(),
  };
};
