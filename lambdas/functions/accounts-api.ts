import { createAccountsTable } from '../adapters/accounts/accounts-table.ts';
import { createKeyAuthenticator } from '../adapters/accounts/authenticate-key.ts';
import { createOperatorsTable } from '../adapters/accounts/operators-table.ts';
import { dynamoClient, takeAwsUse } from '../adapters/aws/aws-clients.ts';
import { accountRoutes } from '../routes/accounts.ts';
import { operatorRoutes } from '../routes/operators.ts';
import { readConfig } from '../runtime/config.ts';
import { httpHandler } from '../runtime/http.ts';

const config = readConfig(['domainTable', 'deliveryTable', 'credentialsTable', 'retentionDays']);
const tables = { domain: config.domainTable, delivery: config.deliveryTable, credentials: config.credentialsTable };

const client = dynamoClient();
const routes = [
  ...accountRoutes(createAccountsTable(client, tables), config.retentionDays),
  ...operatorRoutes(createOperatorsTable(client, tables)),
];

export const handler = httpHandler(routes, {
  surface: 'native',
  authenticate: createKeyAuthenticator(dynamoClient({ maxAttempts: 1 }), config.credentialsTable).authenticate,
  use: takeAwsUse,
});
