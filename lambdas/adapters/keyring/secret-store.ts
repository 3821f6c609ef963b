import { createHash } from 'node:crypto';
import {
  GetSecretValueCommand,
  PutSecretValueCommand,
  ResourceExistsException,
  ResourceNotFoundException,
  type SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import type { SecretStore } from '../../domain/keyring/key-material.ts';
import type { KeyringSecret } from '../../domain/keyring/rotate-keyring.ts';

/** A secret in Secrets Manager, of which no value is ever lost to another that is written at the same time. */
export const createSecretStore = (client: SecretsManagerClient, secretId: string): SecretStore & KeyringSecret => {
  const read = async (): Promise<string | null> => {
    try {
      const { SecretString } = await client.send(new GetSecretValueCommand({ SecretId: secretId }));
      return SecretString || null;
    } catch (error) {
      // Also where the secret itself is missing; then filling it fails.
      if (error instanceof ResourceNotFoundException) return null;
      throw error;
    }
  };

  /** What follows the same value is put under the same token: of two that do it at once, the second is refused. */
  const put = async (before: string | null, value: string): Promise<string> => {
    const token = createHash('sha256')
      .update(`${secretId} ${before === null ? 'first' : `after ${before}`}`)
      .digest('hex');
    try {
      await client.send(
        new PutSecretValueCommand({ SecretId: secretId, SecretString: value, ClientRequestToken: token }),
      );
      return value;
    } catch (error) {
      if (!(error instanceof ResourceExistsException)) throw error;
      const other = await read();
      // Not to be seen yet.
      if (other === null || other === before) throw error;
      return other;
    }
  };

  return { read, fill: (value) => put(null, value), replace: put };
};
