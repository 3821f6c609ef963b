import { dynamoClient, takeAwsUse } from '../adapters/aws/aws-clients.ts';
import { listSigningKeys } from '../adapters/keyring/signing-keys-table.ts';
import { publicKeyRoutes } from '../routes/public-keys.ts';
import { readConfig } from '../runtime/config.ts';
import { httpHandler } from '../runtime/http.ts';

const { domainTable } = readConfig(['domainTable']);
const client = dynamoClient();

export const handler = httpHandler(
  publicKeyRoutes((owner) => listSigningKeys(client, domainTable, owner)),
  { surface: 'native', use: takeAwsUse },
);
