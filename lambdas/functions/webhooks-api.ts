import { createKeyAuthenticator } from '../adapters/accounts/authenticate-key.ts';
import { dynamoClient, takeAwsUse } from '../adapters/aws/aws-clients.ts';
import { createEventTypesTable } from '../adapters/events/event-types-table.ts';
import { createPublicKeys } from '../adapters/keyring/public-keys.ts';
import { createSealer } from '../adapters/keyring/sealing.ts';
import { createSigningKeysTable } from '../adapters/keyring/signing-keys-table.ts';
import { createAddressCheck } from '../adapters/sending/egress.ts';
import { createWebhooksTable } from '../adapters/webhooks/webhooks-table.ts';
import { isBuiltIn } from '../domain/events/built-in-types.ts';
import { provideSigningKey } from '../domain/keyring/provide-signing-key.ts';
import { profiles } from '../profiles/index.ts';
import { signingKeyRoutes } from '../routes/signing-keys.ts';
import { webhookRoutes } from '../routes/webhooks.ts';
import { readConfig } from '../runtime/config.ts';
import { httpHandler } from '../runtime/http.ts';

const config = readConfig([
  'domainTable',
  'deliveryTable',
  'credentialsTable',
  'retentionDays',
  'ownHosts',
  'egressAllow',
]);
const tables = { domain: config.domainTable, delivery: config.deliveryTable };
const client = dynamoClient();
const { seal } = createSealer(createPublicKeys(client, config.credentialsTable, Date.now).read);
const signingKeys = {
  store: createSigningKeysTable(client, config.domainTable),
  seal: (owner: string, kid: string, privateJwk: string) => seal(owner, kid, 'signing-key', privateJwk),
};
const { checkUrl } = createAddressCheck({
  allowLoopback: config.egressAllow === 'loopback',
  ownHosts: config.ownHosts,
});

const rules = {
  profiles,
  isEventType: isBuiltIn,
  ownEventTypes: createEventTypesTable(client, config.domainTable).find,
  checkUrl,
};

const webhooks = createWebhooksTable(client, tables, config.retentionDays);

export const handler = httpHandler(
  [
    ...webhookRoutes(webhooks, rules, seal, (owner, alg, nowMs) => provideSigningKey(owner, alg, signingKeys, nowMs)),
    ...signingKeyRoutes(signingKeys),
  ],
  {
    surface: 'native',
    customerOf: async (owner, id) => (await webhooks.find(owner, id))?.customer,
    authenticate: createKeyAuthenticator(dynamoClient({ maxAttempts: 1 }), config.credentialsTable).authenticate,
    use: takeAwsUse,
  },
);
