import { dynamoClient, takeAwsUse } from './adapters/aws-clients.ts';
import { keyCounter } from './adapters/key-counter.ts';
import { catalogue } from './domain/catalogue.ts';
import { profiles } from './profiles/index.ts';
import { catalogueRoutes } from './routes/catalogue.ts';
import { readConfig } from './runtime/config.ts';
import { httpHandler } from './runtime/http.ts';

const { deliveryTable } = readConfig(['deliveryTable']);

export const handler = httpHandler(catalogueRoutes(catalogue, Object.values(profiles)), {
  surface: 'native',
  authenticate: keyCounter(dynamoClient({ maxAttempts: 1 }), deliveryTable),
  use: takeAwsUse,
});
