import { dynamoClient, takeAwsUse } from './adapters/aws-clients.ts';
import { keyCounter } from './adapters/key-counter.ts';
import { createTemplatesTable } from './adapters/templates-table.ts';
import { catalogue } from './domain/catalogue.ts';
import { profiles } from './profiles/index.ts';
import { catalogueRoutes } from './routes/catalogue.ts';
import { templateRoutes } from './routes/templates.ts';
import { readConfig } from './runtime/config.ts';
import { httpHandler } from './runtime/http.ts';

const { domainTable, deliveryTable } = readConfig(['domainTable', 'deliveryTable']);
const templates = createTemplatesTable(dynamoClient(), domainTable);

export const handler = httpHandler(
  [...catalogueRoutes(catalogue, Object.values(profiles)), ...templateRoutes(templates)],
  {
    surface: 'native',
    authenticate: keyCounter(dynamoClient({ maxAttempts: 1 }), deliveryTable),
    use: takeAwsUse,
  },
);
