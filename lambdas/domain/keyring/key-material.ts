import { drawApiKey, hashApiKey } from '../accounts/api-key.ts';
import { type OperatorKey, operatorKey, type StoredOperator } from '../accounts/operator.ts';
import { deriveId } from '../foundation/id.ts';
import { createKeyring, type PublicKeys, parseKeyring, publicKeysOf } from './keyring.ts';

/** A secret of the deployment. The stack creates the secret empty, and `provideKeyMaterial` fills it once. */
export interface SecretStore {
  /** Returns the secret's value, or null while the secret is empty. */
  read(): Promise<string | null>;
  /** Fills the secret unless a concurrent run filled it first. Returns the value that the secret holds now. */
  fill(value: string): Promise<string>;
}

export interface KeyMaterialDependencies {
  readonly keyring: SecretStore;
  readonly operator: SecretStore;
  readonly putPublicKeys: (keys: PublicKeys) => Promise<void>;
  /**
   * Adds the first operator with its API key. If the operator exists, also as a deleted one, gives it the key only if
   * the key is new: the secret may hold a key that was rotated or revoked since.
   */
  readonly addFirstOperator: (operator: StoredOperator, key: OperatorKey, isNewKey: boolean) => Promise<void>;
}

/** The id of the operator whose API key is in the deployment's secret. */
export const FIRST_OPERATOR_ID = deriveId('opr', 'first');

/** Returns the first operator, and the row of its API key. */
export const firstOperator = (
  apiKey: string,
  nowMs: number,
): { readonly operator: StoredOperator; readonly key: OperatorKey } => {
  const [hash, prefix] = [hashApiKey(apiKey), apiKey.slice(0, 12)];
  const operator = { id: FIRST_OPERATOR_ID, name: 'operator', prefix, created_at: new Date(nowMs).toISOString(), hash };
  return { operator, key: operatorKey(operator, { hash, prefix }, nowMs) };
};

/**
 * Fills the secrets (keyring and operator's API key) that are still empty, and writes the rows derived from them. The
 * secrets are the source, so the next run completes a run that died at any point. Running twice changes nothing.
 */
export const provideKeyMaterial = async (
  { keyring, operator, putPublicKeys, addFirstOperator }: KeyMaterialDependencies,
  nowMs: number,
): Promise<void> => {
  const keyringText = (await keyring.read()) ?? (await keyring.fill(JSON.stringify(createKeyring())));
  await putPublicKeys(publicKeysOf(parseKeyring(keyringText)));

  const stored = await operator.read();
  const first = firstOperator(stored ?? (await operator.fill(drawApiKey('live').key)), nowMs);
  await addFirstOperator(first.operator, first.key, stored === null);
};
