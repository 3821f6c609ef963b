import { drawApiKey, hashApiKey, type StoredApiKey } from '../accounts/api-key.ts';
import { deriveId } from '../foundation/id.ts';
import { createKeyring, type PublicKeys, parseKeyring, publicKeysOf } from './keyring.ts';

/** A secret of the deployment's, made empty and filled once. */
export interface SecretStore {
  /** Its value, or null while it has none. */
  read(): Promise<string | null>;
  /** Fills it, unless somebody else just has: answers what it holds now. */
  fill(value: string): Promise<string>;
}

/** The operator's API key as its row holds it: it has no account, and no end. */
export interface OperatorKey extends Omit<StoredApiKey, 'account_id' | 'expires_at' | 'revoked_at'> {
  readonly hash: string;
}

export interface KeyMaterialDependencies {
  readonly keyring: SecretStore;
  readonly operator: SecretStore;
  readonly putPublicKeys: (keys: PublicKeys) => Promise<void>;
  /** Leaves a row that is there alone: it counts requests. */
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
 * Fills what is still empty. The secrets are the truth and the rows are made from them, so that a run which died
 * anywhere is healed by the next, and one that repeats changes nothing.
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
