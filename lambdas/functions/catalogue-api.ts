import { createKeyAuthenticator } from '../adapters/accounts/authenticate-key.ts';
import { dynamoClient, takeAwsUse } from '../adapters/aws/aws-clients.ts';
import { createEventTypesTable } from '../adapters/events/event-types-table.ts';
import { createSchemaChecker } from '../adapters/events/json-schema.ts';
import { createTemplatesTable } from '../adapters/events/templates-table.ts';
import { catalogue } from '../domain/events/built-in-types.ts';
import { profiles } from '../profiles/index.ts';
import { profileRoutes } from '../routes/catalogue.ts';
import { eventTypeRoutes } from '../routes/event-types.ts';
import { templateRoutes } from '../routes/templates.ts';
import { readConfig } from '../runtime/config.ts';
import { httpHandler } from '../runtime/http.ts';

const { domainTable, credentialsTable } = readConfig(['domainTable', 'credentialsTable']);
const client = dynamoClient();

export const handler = httpHandler(
  [
    ...eventTypeRoutes(createEventTypesTable(client, domainTable), catalogue, createSchemaChecker()),
    ...templateRoutes(createTemplatesTable(client, domainTable)),
    ...profileRoutes(Object.values(profiles)),
  ],
  {
    surface: 'native',
    authenticate: createKeyAuthenticator(dynamoClient({ maxAttempts: 1 }), credentialsTable).authenticate,
    use: takeAwsUse,
  },
);
