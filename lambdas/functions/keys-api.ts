import { createKeyAuthenticator } from '../adapters/accounts/authenticate-key.ts';
import { createKeysTable } from '../adapters/accounts/keys-table.ts';
import { dynamoClient, takeAwsUse } from '../adapters/aws/aws-clients.ts';
import { keyRoutes } from '../routes/keys.ts';
import { readConfig } from '../runtime/config.ts';
import { httpHandler } from '../runtime/http.ts';

const { domainTable, credentialsTable } = readConfig(['domainTable', 'credentialsTable']);
const tables = { domain: domainTable, credentials: credentialsTable };

export const handler = httpHandler(keyRoutes(createKeysTable(dynamoClient(), tables)), {
  surface: 'native',
  authenticate: createKeyAuthenticator(dynamoClient({ maxAttempts: 1 }), credentialsTable).authenticate,
  use: takeAwsUse,
});
