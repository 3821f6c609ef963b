import type { SigningAlg } from '../deliveries/profile.ts';
import { PassPostError } from '../foundation/errors.ts';
import { drawSigningKey, type StoredSigningKey, type StoredSigningKeys } from './signing-keys.ts';

/** Encrypts a private key of an owner. Only the deliver function can decrypt it, and only for the same owner and key id. */
export type SealSigningKey = (owner: string, kid: string, privateJwk: string) => Promise<string>;

export interface NewSigningKeys {
  /** Returns the owner's keys of an algorithm, or null if there are none. */
  find(owner: string, alg: SigningAlg): Promise<StoredSigningKeys | null>;
  /** Adds the owner's first key of an algorithm. Returns false if there is one already. */
  add(keys: StoredSigningKeys): Promise<boolean>;
}

export interface SigningKeyDependencies<Store = NewSigningKeys> {
  readonly store: Store;
  readonly seal: SealSigningKey;
}

/** Draws a key of an owner that begins to sign at a time (0 = immediately), with its private key sealed. */
export const createSigningKey = async (
  owner: string,
  alg: SigningAlg,
  { signsFromMs, nowMs }: { readonly signsFromMs: number; readonly nowMs: number },
  seal: SealSigningKey,
): Promise<StoredSigningKey> => {
  const { kid, jwk, privateJwk } = drawSigningKey(alg);
  const sealed = await seal(owner, kid, privateJwk);
  return { kid, created_at: new Date(nowMs).toISOString(), signs_from: signsFromMs, jwk, sealed };
};

/**
 * Returns an owner's signing keys of an algorithm. Creates the first one if there is none; it signs immediately. Of two
 * concurrent calls, one creates the key and both return it.
 */
export const provideSigningKey = async (
  owner: string,
  alg: SigningAlg,
  { store, seal }: SigningKeyDependencies,
  nowMs: number,
): Promise<StoredSigningKeys> => {
  const present = await store.find(owner, alg);
  if (present) return present;
  // The first key signs at any time, because the clock of the instance that delivers may be behind.
  const key = await createSigningKey(owner, alg, { signsFromMs: 0, nowMs }, seal);
  const created = { owner, alg, version: 1, keys: [key] };
  if (await store.add(created)) return created;
  const winner = await store.find(owner, alg);
  if (winner) return winner;
  throw new PassPostError('conflict', 'The signing keys of the account are changing. Please try again.');
};
