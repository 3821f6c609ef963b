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

/**
 * Reads, fills and replaces the value of an existing secret in Secrets Manager. Of two writers that replace the same
 * value, only the first succeeds, and the second gets the first one's value.
 */
export const createSecretStore = (client: SecretsManagerClient, secretId: string): SecretStore & KeyringSecret => {
  const read = async (): Promise<string | null> => {
    try {
      const { SecretString } = await client.send(new GetSecretValueCommand({ SecretId: secretId }));
      return SecretString || null;
    } catch (error) {
      // Returns null if the secret has no value or does not exist. In the second case `fill` fails.
      if (error instanceof ResourceNotFoundException) return null;
      throw error;
    }
  };

  /**
   * Writes a value unless another writer was first. Returns the value that the secret has then. The request token is
   * derived from the former value, so Secrets Manager refuses the second of two writers that replace the same value.
   */
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
      const current = await read();
      // Throws if the first writer's value cannot be read yet.
      if (current === null || current === before) throw error;
      return current;
    }
  };

  return { read, fill: (value) => put(null, value), replace: put };
};
