import * as z from 'zod';
import { PassPostError } from '../foundation/errors.ts';
import { DAY_SECONDS, SECOND_MS } from '../foundation/time.ts';
import { createKeyring, type KeyringContent, type PublicKeys, parseKeyring, publicKeysOf } from './keyring.ts';

/**
 * Twice as long as a published key may need to reach everybody: five minutes in our functions, five more in receivers
 * that keep what they fetched as they are told. A rotation writes its secret twice, so this is also Secrets Manager's
 * measure of one version per ten minutes. https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_limits.html
 */
const SHORTEST_WAIT_SECONDS = 1200;

export const rotationSchema = z.strictObject({
  operation: z.literal('rotate-keyring'),
  /** How long the new keys are published before they sign. */
  signs_in_seconds: z
    .int()
    .min(SHORTEST_WAIT_SECONDS)
    .max(30 * DAY_SECONDS)
    .default(DAY_SECONDS),
});

/** What a rotation may tell of itself: ids and times. */
export interface Rotation {
  /** False: keys were waiting for their time already. They are the rotation's, and no more were made. */
  readonly added: boolean;
  readonly sealing_kid: string;
  readonly signing_kids: readonly string[];
  readonly signs_from: string;
}

/** The keyring's secret, once it is filled. */
export interface KeyringSecret {
  read(): Promise<string | null>;
  /** Puts a new value in the place of the one that was read, unless somebody else just has: answers what it holds now. */
  replace(before: string, after: string): Promise<string>;
}

export interface RotationDependencies {
  readonly keyring: KeyringSecret;
  /** Leaves a newer public part alone. */
  readonly putPublicKeys: (keys: PublicKeys) => Promise<void>;
  readonly clock: () => number;
}

/** So many signing keys of each kind stay: the oldest go at the tenth rotation after theirs. Sealing pairs, 160 bytes each, never go. */
const GENERATIONS_KEPT = 10;
/** Of a secret in Secrets Manager; some 270 rotations. */
const MOST_BYTES = 65_536;

/** The keyring as it was read, with the text that must still stand there when it is replaced. */
interface Held {
  readonly text: string;
  readonly keyring: KeyringContent;
}

const held = (text: string): Held => ({ text, keyring: parseKeyring(text) });

type SigningEntry = KeyringContent['signing'][number];

const isWaiting = ({ signs_from }: SigningEntry, nowMs: number): boolean => signs_from === null || signs_from > nowMs;

/** With a pair and a key of each kind more. The keys have no time yet: nothing signs with them. */
const withNewKeys = (keyring: KeyringContent): KeyringContent => {
  const { sealing, signing } = createKeyring();
  return {
    ...keyring,
    revision: keyring.revision + 1,
    sealing: [...sealing, ...keyring.sealing],
    signing: [...signing.map((key) => ({ ...key, signs_from: null })), ...keyring.signing].slice(
      0,
      GENERATIONS_KEPT * signing.length,
    ),
  };
};

/** With a time for what waits: this one, or the one it has where that is earlier. The same keyring where that changes nothing. */
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
 * Adds a sealing pair and a signing key of each kind. What is published is made of the secret, and nothing signs before
 * it is published:
 *
 * ```text
 * secret: keys without a time ──▶ published ──▶ secret: their time ──▶ published with it ── … ──▶ they sign
 * ```
 *
 * A run that dies between leaves keys that wait; the next run goes on with those. While any wait none are added, so one
 * may also run to bring their time forward, never to put it off.
 */
export const rotateKeyring = async (
  { keyring: secret, putPublicKeys, clock }: RotationDependencies,
  signsInSeconds: number,
): Promise<Rotation> => {
  const replace = async (before: Held, after: KeyringContent): Promise<Held> => {
    if (after === before.keyring) return before;
    const text = JSON.stringify(after);
    if (Buffer.byteLength(text) > MOST_BYTES) {
      throw new PassPostError('conflict', `The keyring is full: its secret takes ${MOST_BYTES} bytes.`);
    }
    return held(await secret.replace(before.text, text));
  };

  const text = await secret.read();
  if (text === null) throw new PassPostError('unavailable', 'This deployment has no keyring yet.');
  const before = held(text);
  const isStanding = before.keyring.signing.some((key) => isWaiting(key, clock()));
  const wanted = isStanding ? before.keyring : withNewKeys(before.keyring);
  const grown = await replace(before, wanted);
  await putPublicKeys(publicKeysOf(grown.keyring));

  const nowMs = clock();
  const timed = await replace(grown, withTimes(grown.keyring, nowMs + signsInSeconds * SECOND_MS, nowMs));
  await putPublicKeys(publicKeysOf(timed.keyring));

  const { sealing, signing } = timed.keyring;
  const waiting = signing.filter((key) => isWaiting(key, nowMs));
  return {
    added: !isStanding && sealing[0]?.kid === wanted.sealing[0]?.kid,
    sealing_kid: sealing[0]?.kid ?? '',
    signing_kids: waiting.map(({ kid }) => kid),
    signs_from: new Date(Math.max(...waiting.map(({ signs_from }) => signs_from ?? 0))).toISOString(),
  };
};
