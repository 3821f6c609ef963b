import { createPrivateKey, type KeyObject } from 'node:crypto';
import { GetSecretValueCommand, type SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { decodeProtectedHeader } from 'jose/decode/protected_header';
import { compactDecrypt } from 'jose/jwe/compact/decrypt';
import type { SigningAlg } from '../../domain/deliveries/profile.ts';
import { type KeyringContent, parseKeyring } from '../../domain/keyring/keyring.ts';
import { type StoredSigningKeys, signerAt } from '../../domain/keyring/signing-keys.ts';
import type { KeyUse, OpenedWebhook } from '../../domain/sending/attempt-delivery.ts';
import { signingSecrets } from '../../domain/webhooks/secret.ts';
import type { SealedSecret, SealPurpose, StoredWebhook } from '../../domain/webhooks/webhook.ts';
import { createLastUsed } from './last-used.ts';
import { createRefreshingCache, type RefreshingCache } from './refreshing-cache.ts';

export interface Keyring {
  /**
   * Decrypts a text that was sealed for this webhook (or signing key) of this owner and for this purpose. Throws if the
   * text was sealed for another one, or if the keyring cannot be read.
   */
  open(owner: string, id: string, purpose: SealPurpose, sealed: string): Promise<string>;
  /**
   * Returns everything that a request to the webhook needs at the time `nowMs`: the decrypted secrets, private keys,
   * password and header values. Throws if one of them cannot be read.
   */
  openWebhook(webhook: StoredWebhook, use: KeyUse, nowMs: number): Promise<OpenedWebhook>;
}

export interface KeyringSources {
  readonly secrets: SecretsManagerClient;
  /** The id of the secret that holds the keyring. */
  readonly secretId: string;
  /** Reads the signing keys of an owner; null if there are none. */
  readonly readSigningKeys: (owner: string, alg: SigningAlg) => Promise<StoredSigningKeys | null>;
  readonly clock: () => number;
  /** Called with the error of each failed read of the keyring. */
  readonly onUnreadable?: (error: unknown) => void;
}

const FRESH_MS = 5 * 60_000;
/** The shortest time between two reads of the keyring, or of an owner's signing keys, in milliseconds. */
const PAUSE_MS = 5_000;
/** The maximum number of decrypted texts in memory. A text takes about 300 bytes, the private key of RSA 1,700. */
const MAX_OPENED = 10_000;
/** The maximum numbers of owners' signing keys and of imported private keys in memory. */
const MAX_KEYS = 1000;

type SealingPairs = ReadonlyMap<string, KeyringContent['sealing'][number]['jwk']>;

/**
 * Opens sealed texts with the keyring, which holds the deployment's private keys, and finds the private keys that sign.
 * Caches the keyring and the signing keys of accounts for five minutes, and the last 10,000 decrypted texts without a
 * time limit.
 */
export const createKeyring = ({ secrets, secretId, readSigningKeys, clock, onUnreadable }: KeyringSources): Keyring => {
  // Uses an older keyring if a read fails: pairs are only added, so it still opens every text that it could open before.
  const current = createRefreshingCache<SealingPairs>(
    async () => {
      const { SecretString = '' } = await secrets.send(new GetSecretValueCommand({ SecretId: secretId }));
      return new Map(parseKeyring(SecretString).sealing.map(({ kid, jwk }) => [kid, jwk]));
    },
    clock,
    onUnreadable,
  );
  const opened = createLastUsed<Promise<string>>(MAX_OPENED);
  const signingKeys = createLastUsed<RefreshingCache<StoredSigningKeys | null>>(MAX_KEYS);
  const imported = createLastUsed<KeyObject>(MAX_KEYS);

  const decrypt = async (owner: string, id: string, purpose: SealPurpose, sealed: string): Promise<string> => {
    const kid = String(decodeProtectedHeader(sealed).kid);
    const key = (await current.get(FRESH_MS)).get(kid) ?? (await current.get(PAUSE_MS)).get(kid);
    if (key === undefined) throw new Error(`the keyring has no sealing key ${kid}`);
    const { plaintext, protectedHeader } = await compactDecrypt(sealed, key, {
      keyManagementAlgorithms: ['ECDH-ES+A256KW'],
      contentEncryptionAlgorithms: ['A256GCM'],
    });
    if (protectedHeader.acc !== owner || protectedHeader.whk !== id) {
      throw new Error('the text was sealed for another webhook or key');
    }
    // Otherwise whoever can write a webhook's row could have the signing secret sent as a header.
    if (protectedHeader.purpose !== purpose) throw new Error('the text was sealed for another purpose');
    return Buffer.from(plaintext).toString();
  };

  const open: Keyring['open'] = (owner, id, purpose, sealed) => {
    const name = `${owner} ${id} ${purpose} ${sealed}`;
    const text = opened.get(name, () => decrypt(owner, id, purpose, sealed));
    text.catch(() => opened.forget(name));
    return text;
  };

  const privateKey = async (owner: string, id: string, purpose: SealPurpose, sealed: string): Promise<KeyObject> => {
    const jwk = await open(owner, id, purpose, sealed);
    return imported.get(jwk, () => createPrivateKey({ key: JSON.parse(jwk), format: 'jwk' }));
  };

  /** Returns the private key with which an owner signs. */
  const accountKey = async (owner: string, alg: SigningAlg, nowMs: number): Promise<KeyObject> => {
    const cache = signingKeys.get(`${owner} ${alg}`, () =>
      createRefreshingCache(() => readSigningKeys(owner, alg), clock),
    );
    const stored = (await cache.get(FRESH_MS)) ?? (await cache.get(PAUSE_MS));
    const key = signerAt(stored?.keys ?? [], nowMs);
    if (!key?.sealed) throw new Error(`the account has no ${alg} signing key`);
    return privateKey(owner, key.kid, 'signing-key', key.sealed);
  };

  const privateKeysOf = async (
    { owner, id }: StoredWebhook,
    source: KeyUse['signingKey'],
    valid: readonly SealedSecret[],
    nowMs: number,
  ): Promise<KeyObject[]> => {
    if (source === null) return [];
    if (source !== 'webhook') return [await accountKey(owner, source, nowMs)];
    const pairs = valid.flatMap(({ key_pair }) => key_pair ?? []);
    return Promise.all(pairs.map(({ sealed }) => privateKey(owner, id, 'key-pair', sealed)));
  };

  const openWebhook: Keyring['openWebhook'] = async (webhook, { rotation, signingKey }, nowMs) => {
    const { owner, id, basic_auth, headers } = webhook;
    const valid = signingSecrets(webhook.secrets, rotation, nowMs);
    const [newest, ...older] = valid;
    const [first, rest, privateKeys, password, values] = await Promise.all([
      open(owner, id, 'secret', newest.sealed),
      Promise.all(older.map(({ sealed }) => open(owner, id, 'secret', sealed))),
      privateKeysOf(webhook, signingKey, valid, nowMs),
      basic_auth && open(owner, id, 'password', basic_auth.sealed),
      headers && open(owner, id, 'headers', headers.sealed),
    ]);
    return {
      material: { secrets: [first, ...rest], privateKeys },
      password,
      headers: values === null ? {} : (JSON.parse(values) as Record<string, string>),
    };
  };

  return { open, openWebhook };
};
