import * as z from 'zod';
import { type SigningAlg, signingAlgs } from '../deliveries/profile.ts';
import { type Actor, auditEntry, type StoredAuditEntry } from '../foundation/audit.ts';
import { PassPostError } from '../foundation/errors.ts';
import { type FirstAnswer, type IdempotentRequest, type KeyedAnswer, performOnce } from '../foundation/idempotency.ts';
import { DAY_SECONDS, SECOND_MS } from '../foundation/time.ts';
import { createSigningKey, type SealSigningKey, type SigningKeyDependencies } from './provide-signing-key.ts';
import { type SigningKeyView, type StoredSigningKeys, signerAt, signingKeyViews } from './signing-keys.ts';

export const signingKeyRotationSchema = z
  .strictObject({
    algorithm: z.enum(signingAlgs).optional().meta({
      description:
        'Rotates only the key of this algorithm. Without it, every algorithm of which the account has a key.',
    }),
    overlap_seconds: z
      .int()
      .min(0)
      .max(30 * DAY_SECONDS)
      .default(DAY_SECONDS)
      .meta({ description: 'How long the current key still signs. The next key is published immediately.' }),
  })
  .meta({ id: 'SigningKeyRotation' });
export type SigningKeyRotation = z.output<typeof signingKeyRotationSchema>;

/** The answer to a rotation: all signing keys of the account and mode. */
export interface SigningKeysAnswer {
  readonly data: readonly SigningKeyView[];
}

/** The signing keys of one algorithm before and after a rotation. `before` = null: the owner had none. */
export interface SigningKeysChange {
  readonly before: StoredSigningKeys | null;
  readonly after: StoredSigningKeys;
}

export interface RotatingSigningKeys {
  list(owner: string): Promise<readonly StoredSigningKeys[]>;
  firstRotation(owner: string, idempotencyKey: string, nowMs: number): Promise<FirstAnswer<SigningKeysAnswer> | null>;
  /**
   * Writes the changes, the first answer of the request's Idempotency-Key and the audit entry in one transaction. Returns
   * false if the stored keys have changed since they were read, or if the Idempotency-Key is in use.
   */
  replace(
    changes: readonly SigningKeysChange[],
    entry: StoredAuditEntry,
    firstAnswer: Omit<KeyedAnswer<SigningKeysAnswer>, 'path'> | null,
    nowMs: number,
  ): Promise<boolean>;
}

export interface SigningKeyRotationRequest extends IdempotentRequest {
  readonly owner: string;
  readonly body: SigningKeyRotation;
  readonly by: Actor;
  readonly nowMs: number;
}

/** The maximum number of keys of an algorithm: a key is no longer published from the tenth rotation after its own. */
const MAX_KEYS = 10;
const MAX_TRIES = 5;

/** Returns the keys with a next key that signs from a time. A key that waits already signs then, or earlier if it was to. */
const withNextKey = async (
  {
    owner,
    alg,
    before,
  }: { readonly owner: string; readonly alg: SigningAlg; readonly before: StoredSigningKeys | null },
  { signsFromMs, nowMs }: { readonly signsFromMs: number; readonly nowMs: number },
  seal: SealSigningKey,
): Promise<StoredSigningKeys> => {
  if (before === null) {
    return { owner, alg, version: 1, keys: [await createSigningKey(owner, alg, { signsFromMs: 0, nowMs }, seal)] };
  }
  const version = before.version + 1;
  const [newest, ...older] = before.keys;
  if (newest && newest.signs_from > nowMs) {
    return {
      ...before,
      version,
      keys: [{ ...newest, signs_from: Math.min(newest.signs_from, signsFromMs) }, ...older],
    };
  }
  const next = await createSigningKey(owner, alg, { signsFromMs, nowMs }, seal);
  const signer = signerAt(before.keys, nowMs);
  const former = before.keys.map((key) => (key === signer ? key : { ...key, sealed: null }));
  return { ...before, version, keys: [next, ...former].slice(0, MAX_KEYS) };
};

/**
 * Publishes the next signing key of an owner, or of each algorithm that the owner has keys of, and lets it sign after the
 * overlap. While a next key waits, no other is added; a rotation can make it sign earlier. An algorithm without a key
 * gets its first one, which signs immediately. Throws `conflict`.
 */
export const rotateSigningKeys = (
  request: SigningKeyRotationRequest,
  { store, seal }: SigningKeyDependencies<RotatingSigningKeys>,
): Promise<{ readonly answer: SigningKeysAnswer; readonly isRepeat: boolean }> => {
  const { owner, body, by, idempotencyKey, contentHash, nowMs } = request;
  const firstAnswer = (key: string) => store.firstRotation(owner, key, nowMs);

  const perform = async (): Promise<{ readonly answer: SigningKeysAnswer } | 'repeated'> => {
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const all = await store.list(owner);
      const algs = body.algorithm === undefined ? all.map(({ alg }) => alg) : [body.algorithm];
      if (algs.length === 0) {
        throw new PassPostError(
          'conflict',
          'The account has no signing key in this mode. Name an algorithm to create one.',
        );
      }
      const times = { signsFromMs: nowMs + body.overlap_seconds * SECOND_MS, nowMs };
      const changes = await Promise.all(
        algs.map(async (alg): Promise<SigningKeysChange> => {
          const before = all.find((keys) => keys.alg === alg) ?? null;
          return { before, after: await withNextKey({ owner, alg, before }, times, seal) };
        }),
      );
      const unchanged = all.filter(({ alg }) => !algs.includes(alg));
      const after = [...changes.map((change) => change.after), ...unchanged];
      const answer = { data: after.flatMap((keys) => signingKeyViews(keys, nowMs)) };
      const keyed = idempotencyKey === null ? null : { idempotencyKey, contentHash, answer };
      const entry = auditEntry(by, 'signing_key.rotated', algs.join(' '), nowMs);
      if (await store.replace(changes, entry, keyed, nowMs)) return { answer };
      if (idempotencyKey !== null && (await firstAnswer(idempotencyKey))) return 'repeated';
    }
    throw new PassPostError('conflict', 'Other requests are changing the signing keys. Please try again.');
  };

  return performOnce(request, firstAnswer, perform);
};
