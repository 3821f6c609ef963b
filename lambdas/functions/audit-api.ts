import { createAuditTable } from '../adapters/accounts/audit-table.ts';
import { createKeyAuthenticator } from '../adapters/accounts/authenticate-key.ts';
import { dynamoClient, takeAwsUse } from '../adapters/aws/aws-clients.ts';
import { auditRoutes } from '../routes/audit.ts';
import { readConfig } from '../runtime/config.ts';
import { httpHandler } from '../runtime/http.ts';

const { domainTable, credentialsTable } = readConfig(['domainTable', 'credentialsTable']);

export const handler = httpHandler(auditRoutes(createAuditTable(dynamoClient(), domainTable)), {
  surface: 'native',
  authenticate: createKeyAuthenticator(dynamoClient({ maxAttempts: 1 }), credentialsTable).authenticate,
  use: takeAwsUse,
});
