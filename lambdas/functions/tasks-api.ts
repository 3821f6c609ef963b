import { createKeyAuthenticator } from '../adapters/accounts/authenticate-key.ts';
import { dynamoClient, takeAwsUse } from '../adapters/aws/aws-clients.ts';
import { createTasksTable } from '../adapters/tasks/tasks-table.ts';
import { taskRoutes } from '../routes/tasks.ts';
import { readConfig } from '../runtime/config.ts';
import { httpHandler } from '../runtime/http.ts';

const { domainTable, deliveryTable } = readConfig(['domainTable', 'deliveryTable']);

export const handler = httpHandler(taskRoutes(createTasksTable(dynamoClient(), domainTable)), {
  surface: 'native',
  authenticate: createKeyAuthenticator(dynamoClient({ maxAttempts: 1 }), deliveryTable).authenticate,
  use: takeAwsUse,
});
