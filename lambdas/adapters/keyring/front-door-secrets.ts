import {
  GetSecretValueCommand,
  ResourceNotFoundException,
  type SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import type { FrontDoorSecrets } from '../../domain/keyring/front-door-admission.ts';
import { createRefreshingCache } from './refreshing-cache.ts';

const FRESH_MS = 5 * 60_000;
/**
 * The shortest time between two reads of the secret that CloudFront sends with each request, in milliseconds, however
 * many requests arrive with a wrong secret.
 */
const PAUSE_MS = 5_000;

/**
 * Reads the current and the previous value of the secret that CloudFront sends with each request. `known` reads the
 * values again after five minutes, `newest` after five seconds.
 */
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
      // Returns no previous value if the secret was never replaced.
      if (error instanceof ResourceNotFoundException) return [];
      throw error;
    }
  };
  const secrets = createRefreshingCache(async () => [await read('AWSCURRENT'), ...(await readPrevious())], clock);
  return { known: () => secrets.get(FRESH_MS), newest: () => secrets.get(PAUSE_MS) };
};
