import {
  GetSecretValueCommand,
  ResourceNotFoundException,
  type SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import type { FrontDoorSecrets } from '../../domain/keyring/front-door-admission.ts';
import { createRefreshingCache } from './refreshing-cache.ts';

const FRESH_MS = 5 * 60_000;
/** However many requests show a wrong one, Secrets Manager is not asked more often. */
const PAUSE_MS = 5_000;

/** The current and the previous value of the secret that CloudFront shows. */
export const createFrontDoorSecrets = (
  client: SecretsManagerClient,
  secretId: string,
  clock: () => number,
): FrontDoorSecrets => {
  const read = async (VersionStage: 'AWSCURRENT' | 'AWSPREVIOUS'): Promise<string> => {
    const { SecretString } = await client.send(new GetSecretValueCommand({ SecretId: secretId, VersionStage }));
    if (!SecretString) throw new Error(`the front door's secret is empty (${VersionStage})`);
    return SecretString;
  };
  const readPrevious = async (): Promise<readonly string[]> => {
    try {
      return [await read('AWSPREVIOUS')];
    } catch (error) {
      // Never replaced so far.
      if (error instanceof ResourceNotFoundException) return [];
      throw error;
    }
  };
  const secrets = createRefreshingCache(async () => [await read('AWSCURRENT'), ...(await readPrevious())], clock);
  return { known: () => secrets(FRESH_MS), newest: () => secrets(PAUSE_MS) };
};
