import { setTimeout as wait } from 'node:timers/promises';
import { createKeyAuthenticator } from '../adapters/accounts/authenticate-key.ts';
import { dynamoClient, takeAwsUse } from '../adapters/aws/aws-clients.ts';
import { createJobsTable } from '../adapters/jobs/jobs-table.ts';
import { createWaitingPlaces } from '../adapters/jobs/waiting-places.ts';
import { jobRoutes } from '../routes/jobs.ts';
import { readConfig } from '../runtime/config.ts';
import { httpHandler } from '../runtime/http.ts';

const { domainTable, credentialsTable, retentionDays } = readConfig([
  'domainTable',
  'credentialsTable',
  'retentionDays',
]);
const jobs = createJobsTable(dynamoClient(), domainTable, retentionDays);

export const handler = httpHandler(
  jobRoutes(jobs, {
    hasWebhook: (owner, type) => jobs.hasWebhook(owner, type, 'postmen'),
    places: createWaitingPlaces(dynamoClient(), credentialsTable),
    clock: Date.now,
    wait,
  }),
  {
    surface: 'native',
    authenticate: createKeyAuthenticator(dynamoClient({ maxAttempts: 1 }), credentialsTable).authenticate,
    use: takeAwsUse,
  },
);
