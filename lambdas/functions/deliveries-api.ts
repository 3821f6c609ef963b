import { createKeyAuthenticator } from '../adapters/accounts/authenticate-key.ts';
import { dynamoClient, takeAwsUse } from '../adapters/aws/aws-clients.ts';
import { createEventTypesTable } from '../adapters/events/event-types-table.ts';
import { createEventsTable } from '../adapters/events/events-table.ts';
import { createDeliveryHistory } from '../adapters/history/delivery-history.ts';
import { createHourHistory } from '../adapters/history/hour-history.ts';
import { createCommandsTable } from '../adapters/redelivery/commands-table.ts';
import { countRecoverable } from '../adapters/redelivery/recovery.ts';
import { createWebhooksTable } from '../adapters/webhooks/webhooks-table.ts';
import { scheduleOf } from '../domain/deliveries/retry-schedule.ts';
import { profileOf } from '../profiles/index.ts';
import { deliveryRoutes } from '../routes/deliveries.ts';
import { readConfig } from '../runtime/config.ts';
import { httpHandler } from '../runtime/http.ts';

const config = readConfig(['domainTable', 'deliveryTable', 'credentialsTable', 'retentionDays', 'scheduleSpeed']);
const { domainTable, deliveryTable, credentialsTable, retentionDays, scheduleSpeed } = config;
const client = dynamoClient();

export const handler = httpHandler(
  deliveryRoutes({
    history: createDeliveryHistory(client, deliveryTable),
    webhooks: createWebhooksTable(client, { domain: domainTable, delivery: deliveryTable }, retentionDays),
    events: createEventsTable(client, domainTable, retentionDays),
    commands: createCommandsTable(client, domainTable, retentionDays),
    countRecoverable: (window, nowMs) => countRecoverable(client, deliveryTable, window, nowMs),
    hours: createHourHistory(client, deliveryTable),
    speed: scheduleSpeed,
    ownEventTypes: createEventTypesTable(client, domainTable).find,
    profileOf,
    scheduleOf: (webhook) => scheduleOf(webhook, profileOf),
  }),
  {
    surface: 'native',
    authenticate: createKeyAuthenticator(dynamoClient({ maxAttempts: 1 }), credentialsTable).authenticate,
    use: takeAwsUse,
  },
);
