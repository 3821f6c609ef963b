import * as z from 'zod';
import { PassPostError } from '../foundation/errors.ts';
import { DAY_SECONDS, SECOND_MS } from '../foundation/time.ts';
import { createKeyring, type KeyringContent, type PublicKeys, parseKeyring, publicKeysOf } from './keyring.ts';

/**
 * The fewest seconds between publishing a key and signing with it: twice the time in which a published key reaches
 * everyone (five minutes in our functions and five more in receivers that obey our cache headers). A rotation writes
 * its secret twice, so this also respects Secrets Manager's limit of one version per ten minutes:
 * https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_limits.html
 */
const SHORTEST_WAIT_SECONDS = 1200;

export const rotationSchema = z.strictObject({
  operation: z.literal('rotate-keyring'),
  /** Seconds for which the new signing keys are published before they sign. */
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
  /** Returns the secret's value, or null while the secret is empty. */
  read(): Promise<string | null>;
  /**
   * Replaces the value `before` unless a concurrent run replaced it first. Returns the value that the secret holds now.
   */
  replace(before: string, after: string): Promise<string>;
}

export interface RotationDependencies {
  readonly keyring: KeyringSecret;
  /** Publishes the public keys unless newer ones are published. */
  readonly putPublicKeys: (keys: PublicKeys) => Promise<void>;
  readonly clock: () => number;
}

/**
 * The maximum number of signing keys of each algorithm in the keyring: a key is removed by the tenth rotation after
 * its own. Sealing pairs (160 bytes) are never removed.
 */
const MAX_GENERATIONS = 10;
/**
 * The maximum number of bytes of the keyring's secret: the limit of Secrets Manager, enough for about 270 rotations.
 */
const MOST_BYTES = 65_536;

/** The keyring and the text that it was parsed from. The secret is replaced only if it still has this text. */
interface ReadKeyring {
  readonly text: string;
  readonly keyring: KeyringContent;
}

const readKeyring = (text: string): ReadKeyring => ({ text, keyring: parseKeyring(text) });

type SigningEntry = KeyringContent['signing'][number];

const isWaiting = ({ signs_from }: SigningEntry, nowMs: number): boolean => signs_from === null || signs_from > nowMs;

/**
 * Returns the keyring with a new sealing pair and a new signing key of each algorithm. The new signing keys have no
 * time yet, so they do not sign.
 */
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

/**
 * Sets `signsFromMs` as the start of every signing key that does not sign yet, unless the key starts earlier. Returns
 * the same object if nothing changes.
 */
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
 * Adds a sealing pair and a signing key of each algorithm to the keyring. Published keys are derived from the secret,
 * and no key signs before it is published:
 *
 * ```text
 * secret: keys without a time ──▶ published ──▶ secret: their time ──▶ published with it ── … ──▶ they sign
 * ```
 *
 * If a run dies before the end, its keys wait and the next run continues with them. While keys wait, no new keys are
 * added; a run can then make their start earlier but not later. Throws `unavailable` without a keyring, `conflict` if
 * the secret is full.
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
