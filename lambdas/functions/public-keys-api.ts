import { dynamoClient, takeAwsUse } from '../adapters/aws/aws-clients.ts';
import { createPublicKeys } from '../adapters/keyring/public-keys.ts';
import { publicKeyRoutes } from '../routes/public-keys.ts';
import { readConfig } from '../runtime/config.ts';
import { httpHandler } from '../runtime/http.ts';

const config = readConfig(['credentialsTable']);
const publicKeys = createPublicKeys(dynamoClient(), config.credentialsTable, Date.now).read;

export const handler = httpHandler(publicKeyRoutes(publicKeys), { surface: 'native', use: takeAwsUse });
