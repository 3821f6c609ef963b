import { createHash } from 'node:crypto';
import {
  GetSecretValueCommand,
  PutSecretValueCommand,
  ResourceExistsException,
  ResourceNotFoundException,
  type SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import type { SecretStore } from '../domain/key-material.ts';

/** A secret in Secrets Manager that is filled once. */
export const createSecretStore = (client: SecretsManagerClient, secretId: string): SecretStore => {
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

  const fill = async (value: string): Promise<string> => {
    // The same token for every first value: of two that fill at once, the second is refused.
    const token = createHash('sha256').update(`${secretId} first`).digest('hex');
    try {
      await client.send(
        new PutSecretValueCommand({ SecretId: secretId, SecretString: value, ClientRequestToken: token }),
      );
      return value;
    } catch (error) {
      if (!(error instanceof ResourceExistsException)) throw error;
      const filled = await read();
      if (filled === null) throw error;
      return filled;
    }
  };

  return { read, fill };
};
