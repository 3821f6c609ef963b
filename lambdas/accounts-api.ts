import { accountsTable } from './adapters/accounts-table.ts';
import { dynamoClient, takeAwsUse } from './adapters/aws-clients.ts';
import { keyCounter } from './adapters/key-counter.ts';
import { accountRoutes } from './routes/accounts.ts';
import { readConfig } from './runtime/config.ts';
import { httpHandler } from './runtime/http.ts';

const { domainTable, deliveryTable } = readConfig(['domainTable', 'deliveryTable']);
const tables = { domain: domainTable, delivery: deliveryTable };

export const handler = httpHandler(accountRoutes(accountsTable(dynamoClient(), tables)), {
  surface: 'native',
  authenticate: keyCounter(dynamoClient({ maxAttempts: 1 }), deliveryTable),
  use: takeAwsUse,
});
