import { createKeyAuthenticator } from '../adapters/accounts/authenticate-key.ts';
import { dynamoClient, takeAwsUse } from '../adapters/aws/aws-clients.ts';
import { createTasksTable } from '../adapters/tasks/tasks-table.ts';
import { taskRoutes } from '../routes/tasks.ts';
import { readConfig } from '../runtime/config.ts';
import { httpHandler } from '../runtime/http.ts';

const { domainTable, credentialsTable, retentionDays } = readConfig([
  'domainTable',
  'credentialsTable',
  'retentionDays',
]);

const tasks = createTasksTable(dynamoClient(), domainTable, retentionDays);

export const handler = httpHandler(taskRoutes(tasks), {
  surface: 'native',
  customerOf: async (owner, id, nowMs) => (await tasks.get(owner, id, nowMs))?.customer,
  authenticate: createKeyAuthenticator(dynamoClient({ maxAttempts: 1 }), credentialsTable).authenticate,
  use: takeAwsUse,
});
