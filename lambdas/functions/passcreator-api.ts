import { createKeyAuthenticator } from '../adapters/accounts/authenticate-key.ts';
import { dynamoClient, takeAwsUse } from '../adapters/aws/aws-clients.ts';
import { createEventTypesTable } from '../adapters/events/event-types-table.ts';
import { createTemplatesTable } from '../adapters/events/templates-table.ts';
import { createPublicKeys } from '../adapters/keyring/public-keys.ts';
import { createSealer } from '../adapters/keyring/sealing.ts';
import { createSigningKeysTable } from '../adapters/keyring/signing-keys-table.ts';
import { createAddressCheck } from '../adapters/sending/egress.ts';
import { createWebhooksTable } from '../adapters/webhooks/webhooks-table.ts';
import { isBuiltIn } from '../domain/events/built-in-types.ts';
import { profiles } from '../profiles/index.ts';
import { passcreatorRoutes } from '../routes/passcreator.ts';
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
const { domainTable, deliveryTable, credentialsTable, retentionDays, ownHosts } = config;
const client = dynamoClient();
const { seal } = createSealer(createPublicKeys(client, credentialsTable, Date.now).read);
const signingKeys = {
  store: createSigningKeysTable(client, domainTable),
  seal: (owner: string, kid: string, privateJwk: string) => seal(owner, kid, 'signing-key', privateJwk),
};
const { checkUrl } = createAddressCheck({ allowLoopback: config.egressAllow === 'loopback', ownHosts });
const rules = {
  profiles,
  isEventType: isBuiltIn,
  ownEventTypes: createEventTypesTable(client, domainTable).find,
  // The Passcreator API has no field `allow_http`, so it accepts plain http for loopback addresses only.
  checkUrl: (url: string) => checkUrl(url, 'loopback'),
};

export const handler = httpHandler(
  passcreatorRoutes({
    store: createWebhooksTable(client, { domain: domainTable, delivery: deliveryTable }, retentionDays),
    templates: createTemplatesTable(client, domainTable),
    rules,
    seal,
    signingKeys,
  }),
  {
    surface: 'passcreator',
    authenticate: createKeyAuthenticator(dynamoClient({ maxAttempts: 1 }), credentialsTable).authenticate,
    use: takeAwsUse,
  },
);
