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
import { isId, webhookOfDelivery } from '../domain/foundation/id.ts';
import { profileOf } from '../profiles/index.ts';
import { deliveryRoutes } from '../routes/deliveries.ts';
import { readConfig } from '../runtime/config.ts';
import { httpHandler } from '../runtime/http.ts';

const config = readConfig(['domainTable', 'deliveryTable', 'credentialsTable', 'retentionDays', 'scheduleSpeed']);
const { domainTable, deliveryTable, credentialsTable, retentionDays, scheduleSpeed } = config;
const client = dynamoClient();

const webhooks = createWebhooksTable(client, { domain: domainTable, delivery: deliveryTable }, retentionDays);

export const handler = httpHandler(
  deliveryRoutes({
    history: createDeliveryHistory(client, deliveryTable),
    webhooks,
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
    // A delivery belongs to the customer of its webhook, also after the deletion of the webhook.
    customerOf: async (owner, id) => {
      const webhookId = isId('dlv', id) ? webhookOfDelivery(id) : id;
      return (await webhooks.findAny(owner, webhookId))?.customer;
    },
    authenticate: createKeyAuthenticator(dynamoClient({ maxAttempts: 1 }), credentialsTable).authenticate,
    use: takeAwsUse,
  },
);
