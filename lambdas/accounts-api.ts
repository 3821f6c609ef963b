import { accountsTable } from './adapters/accounts-table.ts';
import { dynamoClient, takeAwsUse } from './adapters/aws-clients.ts';
import { keyCounter } from './adapters/key-counter.ts';
import { accountRoutes } from './routes/accounts.ts';
import { readConfig } from './runtime/config.ts';
import { httpHandler } from './runtime/http.ts';

const { deliveryTable } = readConfig(['deliveryTable']);

export const handler = httpHandler(accountRoutes(accountsTable(dynamoClient(), deliveryTable)), {
  surface: 'native',
  authenticate: keyCounter(dynamoClient({ maxAttempts: 1 }), deliveryTable),
  use: takeAwsUse,
});
