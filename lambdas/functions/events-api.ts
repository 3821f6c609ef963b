import { createAccountsTable } from '../adapters/accounts/accounts-table.ts';
import { createKeyAuthenticator } from '../adapters/accounts/authenticate-key.ts';
import { dynamoClient, takeAwsUse } from '../adapters/aws/aws-clients.ts';
import { createEventTypesTable } from '../adapters/events/event-types-table.ts';
import { createEventsTable } from '../adapters/events/events-table.ts';
import { createSchemaChecker } from '../adapters/events/json-schema.ts';
import { createDeliveryHistory } from '../adapters/history/delivery-history.ts';
import { createCommandsTable } from '../adapters/redelivery/commands-table.ts';
import { createSubscribers } from '../adapters/webhooks/event-routing.ts';
import { createWebhooksTable } from '../adapters/webhooks/webhooks-table.ts';
import { scheduleOf } from '../domain/deliveries/retry-schedule.ts';
import { builtInEventType, isBuiltIn } from '../domain/events/built-in-types.ts';
import { profileOf } from '../profiles/index.ts';
import { eventRoutes } from '../routes/events.ts';
import { readConfig } from '../runtime/config.ts';
import { httpHandler } from '../runtime/http.ts';

const { domainTable, deliveryTable, credentialsTable, retentionDays } = readConfig([
  'domainTable',
  'deliveryTable',
  'credentialsTable',
  'retentionDays',
]);
const client = dynamoClient();

const rules = {
  isBuiltIn,
  findOwn: createEventTypesTable(client, domainTable).find,
  checker: createSchemaChecker(),
};

const events = createEventsTable(client, domainTable, retentionDays);
const accounts = createAccountsTable(client, {
  domain: domainTable,
  delivery: deliveryTable,
  credentials: credentialsTable,
});

export const handler = httpHandler(
  eventRoutes(events, rules, accounts, {
    history: createDeliveryHistory(client, deliveryTable),
    webhooks: createWebhooksTable(client, { domain: domainTable, delivery: deliveryTable }, retentionDays),
    commands: createCommandsTable(client, domainTable, retentionDays),
    ...createSubscribers(client, domainTable, (type) => builtInEventType(type)?.isOperational === true),
    scheduleOf: (webhook) => scheduleOf(webhook, profileOf),
  }),
  {
    surface: 'native',
    customerOf: async (owner, id, nowMs) => (await events.get(owner, id, nowMs))?.customer,
    authenticate: createKeyAuthenticator(dynamoClient({ maxAttempts: 1 }), credentialsTable).authenticate,
    use: takeAwsUse,
  },
);
