import { GetSecretValueCommand, type SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { decodeProtectedHeader } from 'jose/decode/protected_header';
import { compactDecrypt } from 'jose/jwe/compact/decrypt';
import type { Profile, SigningKeys } from '../../domain/deliveries/profile.ts';
import { type KeyringContent, nextSwitchMs, parseKeyring, signingKeysOf } from '../../domain/keyring/keyring.ts';
import type { OpenedWebhook } from '../../domain/sending/attempt-delivery.ts';
import { signingSecrets } from '../../domain/webhooks/secret.ts';
import type { SealPurpose, StoredWebhook } from '../../domain/webhooks/webhook.ts';
import { createRefreshingCache } from './refreshing-cache.ts';

export interface Keyring {
  /**
   * Decrypts a text that was sealed for this webhook of this owner and for this purpose. Throws if the text was sealed
   * for another webhook or purpose, or if the keyring cannot be read.
   */
  open(owner: string, webhookId: string, purpose: SealPurpose, sealed: string): Promise<string>;
  /** Returns the deployment's keys that sign requests at the time `nowMs`. */
  signingKeys(nowMs: number): Promise<SigningKeys>;
  /**
   * Returns everything that a request to the webhook needs at the time `nowMs`: the signing keys, and the decrypted
   * secrets, password and header values.
   */
  openWebhook(webhook: StoredWebhook, rotation: Profile['rotation'], nowMs: number): Promise<OpenedWebhook>;
}

const FRESH_MS = 5 * 60_000;
/** The shortest time between two reads of the keyring, in milliseconds. */
const PAUSE_MS = 5_000;
/** The maximum number of decrypted texts in memory. A text takes about 300 bytes. */
const MAX_OPENED = 10_000;

interface Loaded {
  readonly sealing: ReadonlyMap<string, KeyringContent['sealing'][number]['jwk']>;
  signingAt(nowMs: number): SigningKeys;
}

const load = (text: string): Loaded => {
  const content = parseKeyring(text);
  let signing: { readonly keys: SigningKeys; readonly untilMs: number } | null = null;
  return {
    sealing: new Map(content.sealing.map(({ kid, jwk }) => [kid, jwk])),
    signingAt(nowMs) {
      if (signing === null || nowMs >= signing.untilMs) {
        signing = { keys: signingKeysOf(content, nowMs), untilMs: nextSwitchMs(content.signing, nowMs) };
      }
      return signing.keys;
    },
  };
};

/**
 * Reads the keyring, which holds the deployment's private keys, and caches it for five minutes. Caches the last 10,000
 * decrypted texts without a time limit. `onUnreadable` gets the error of each failed read.
 */
export const createKeyring = (
  client: SecretsManagerClient,
  secretId: string,
  clock: () => number,
  onUnreadable: (error: unknown) => void = () => undefined,
): Keyring => {
  // Uses an older keyring if a read fails: keys are only added, so it still opens every text that it could open before.
  const current = createRefreshingCache(
    async () => {
      const { SecretString = '' } = await client.send(new GetSecretValueCommand({ SecretId: secretId }));
      return load(SecretString);
    },
    clock,
    onUnreadable,
  );
  const opened = new Map<string, Promise<string>>();

  const decrypt = async (owner: string, webhookId: string, purpose: SealPurpose, sealed: string): Promise<string> => {
    const kid = String(decodeProtectedHeader(sealed).kid);
    const cachedKey = (await current.get(FRESH_MS)).sealing.get(kid);
    const key = cachedKey ?? (await current.get(PAUSE_MS)).sealing.get(kid);
    if (key === undefined) throw new Error(`the keyring has no sealing key ${kid}`);
    const { plaintext, protectedHeader } = await compactDecrypt(sealed, key, {
      keyManagementAlgorithms: ['ECDH-ES+A256KW'],
      contentEncryptionAlgorithms: ['A256GCM'],
    });
    if (protectedHeader.acc !== owner || protectedHeader.whk !== webhookId) {
      throw new Error('the text was sealed for another webhook');
    }
    // Otherwise whoever can write a webhook's row could have the signing secret sent as a header.
    if (protectedHeader.purpose !== purpose) throw new Error('the text was sealed for another purpose');
    return Buffer.from(plaintext).toString();
  };

  const open = (owner: string, webhookId: string, purpose: SealPurpose, sealed: string): Promise<string> => {
    const name = `${owner} ${webhookId} ${purpose} ${sealed}`;
    const text = opened.get(name) ?? decrypt(owner, webhookId, purpose, sealed);
    // Moves the text to the end of the map, so that the first entry is the least recently used one.
    opened.delete(name);
    opened.set(name, text);
    if (opened.size > MAX_OPENED) opened.delete(opened.keys().next().value ?? name);
    text.catch(() => opened.delete(name));
    return text;
  };

  const signingKeys = async (nowMs: number): Promise<SigningKeys> => (await current.get(FRESH_MS)).signingAt(nowMs);

  const openWebhook = async (
    { owner, id, secrets, basic_auth, headers }: StoredWebhook,
    rotation: Profile['rotation'],
    nowMs: number,
  ): Promise<OpenedWebhook> => {
    const [newest, ...older] = signingSecrets(secrets, rotation, nowMs);
    const [keys, first, rest, password, values] = await Promise.all([
      signingKeys(nowMs),
      open(owner, id, 'secret', newest.sealed),
      Promise.all(older.map(({ sealed }) => open(owner, id, 'secret', sealed))),
      basic_auth && open(owner, id, 'password', basic_auth.sealed),
      headers && open(owner, id, 'headers', headers.sealed),
    ]);
    return {
      material: { ...keys, secrets: [first, ...rest] },
      password,
      headers: values === null ? {} : (JSON.parse(values) as Record<string, string>),
    };
  };

  return { open, signingKeys, openWebhook };
};
