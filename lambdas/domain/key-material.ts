import { createHash, randomBytes } from 'node:crypto';
import { deriveId } from './id.ts';
import { createKeyring, type PublicKeys, parseKeyring, publicKeysOf } from './keyring.ts';

/** A secret of the deployment's, made empty and filled once. */
export interface SecretStore {
  /** Its value, or null while it has none. */
  read(): Promise<string | null>;
  /** Fills it, unless somebody else just has: answers what it holds now. */
  fill(value: string): Promise<string>;
}

/** The operator's API key as its row holds it: it has no account. */
export interface OperatorKey {
  readonly hash: string;
  readonly id: string;
  readonly name: string;
  readonly prefix: string;
  readonly scopes: readonly string[];
  readonly mode: 'live';
  readonly limit: number;
  readonly created_at: string;
}

export interface KeyMaterialDependencies {
  readonly keyring: SecretStore;
  readonly operator: SecretStore;
  readonly putPublicKeys: (keys: PublicKeys) => Promise<void>;
  /** Leaves a row that is there alone: it counts requests. */
  readonly addOperatorKey: (key: OperatorKey) => Promise<void>;
}

const operatorKeyOf = (key: string, nowMs: number): OperatorKey => ({
  hash: createHash('sha256').update(key).digest('hex'),
  id: deriveId('key', 'operator'),
  name: 'operator',
  prefix: key.slice(0, 12),
  scopes: ['admin'],
  mode: 'live',
  limit: 600,
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

  const drawn = `pp_live_${randomBytes(32).toString('base64url')}`;
  const operatorKey = (await operator.read()) ?? (await operator.fill(drawn));
  await addOperatorKey(operatorKeyOf(operatorKey, nowMs));
};
