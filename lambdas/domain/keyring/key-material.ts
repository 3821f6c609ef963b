import { drawApiKey, hashApiKey, type StoredApiKey } from '../accounts/api-key.ts';
import { deriveId } from '../foundation/id.ts';
import { createKeyring, type PublicKeys, parseKeyring, publicKeysOf } from './keyring.ts';

/** A secret of the deployment. The stack creates the secret empty, and `provideKeyMaterial` fills it once. */
export interface SecretStore {
  /** Returns the secret's value, or null while the secret is empty. */
  read(): Promise<string | null>;
  /** Fills the secret unless a concurrent run filled it first. Returns the value that the secret holds now. */
  fill(value: string): Promise<string>;
}

/** The operator's API key as its row holds it. It has no account and does not expire. */
export interface OperatorKey
  extends Omit<StoredApiKey, 'account_id' | 'expires_at' | 'created_to_expire_at' | 'revoked_at'> {
  readonly hash: string;
}

export interface KeyMaterialDependencies {
  readonly keyring: SecretStore;
  readonly operator: SecretStore;
  readonly putPublicKeys: (keys: PublicKeys) => Promise<void>;
  /**
   * Adds the row of the operator's key unless it exists. An existing row is not replaced, because it counts requests.
   */
  readonly addOperatorKey: (key: OperatorKey) => Promise<void>;
}

const operatorKeyOf = (key: string, nowMs: number): OperatorKey => ({
  hash: hashApiKey(key),
  id: deriveId('key', 'operator'),
  name: 'operator',
  prefix: key.slice(0, 12),
  scopes: ['admin'],
  mode: 'live',
  limit: 600,
  ws: 0,
  n: 0,
  created_at: new Date(nowMs).toISOString(),
});

/**
 * Fills the secrets (keyring and operator's API key) that are still empty, and writes the rows derived from them. The
 * secrets are the source, so the next run completes a run that died at any point. Running twice changes nothing.
 */
export const provideKeyMaterial = async (
  { keyring, operator, putPublicKeys, addOperatorKey }: KeyMaterialDependencies,
  nowMs: number,
): Promise<void> => {
  const keyringText = (await keyring.read()) ?? (await keyring.fill(JSON.stringify(createKeyring())));
  await putPublicKeys(publicKeysOf(parseKeyring(keyringText)));

  const operatorKey = (await operator.read()) ?? (await operator.fill(drawApiKey('live').key));
  await addOperatorKey(operatorKeyOf(operatorKey, nowMs));
};
