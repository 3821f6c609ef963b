import { beforeAll } from 'vitest';
import { createKeyring } from '../../lambdas/adapters/keyring/keyring.ts';
import { createPublicKeys, putPublicKeys } from '../../lambdas/adapters/keyring/public-keys.ts';
import { createSealer } from '../../lambdas/adapters/keyring/sealing.ts';
import { createSigningKeysTable, readSigningKeys } from '../../lambdas/adapters/keyring/signing-keys-table.ts';
import { createKeyring as drawKeyring, publicKeysOf } from '../../lambdas/domain/keyring/keyring.ts';
import { useSecretsManager } from './secrets-manager.ts';
import type { Tables } from './tables.ts';

/** The signing keys of accounts in real tables, as the API's functions write them and as the deliver function opens them. */
export const useSigningKeys = (tables: Tables) => {
  const manager = useSecretsManager();
  const content = drawKeyring();
  beforeAll(() => putPublicKeys(tables.client, tables.credentialsTable, publicKeysOf(content)));

  const sealer = () => createSealer(createPublicKeys(tables.client, tables.credentialsTable, Date.now).read);

  return {
    sealer,
    /** What the API's functions use to create and rotate signing keys. */
    dependencies: () => {
      const { seal } = sealer();
      return {
        store: createSigningKeysTable(tables.client, tables.domainTable),
        seal: (owner: string, kid: string, privateJwk: string) => seal(owner, kid, 'signing-key', privateJwk),
      };
    },
    /** A keyring as a new instance of the deliver function has it. */
    keyringAt: (clock: () => number) => {
      manager.secrets.set('keyring', { value: JSON.stringify(content), token: null });
      return createKeyring({
        secrets: manager.client,
        secretId: 'keyring',
        readSigningKeys: (owner, alg) => readSigningKeys(tables.client, tables.domainTable, owner, alg),
        clock,
      });
    },
  };
};
