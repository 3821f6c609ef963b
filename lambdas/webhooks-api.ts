import { dynamoClient, takeAwsUse } from './adapters/aws-clients.ts';
import { isPublicAddress, resolvePublic } from './adapters/egress.ts';
import { createEventTypesTable } from './adapters/event-types-table.ts';
import { keyCounter } from './adapters/key-counter.ts';
import { createPublicKeys } from './adapters/public-keys.ts';
import { createSealer } from './adapters/sealing.ts';
import { createWebhooksTable } from './adapters/webhooks-table.ts';
import { builtInEventType } from './domain/catalogue.ts';
import { checkAddress } from './domain/check-address.ts';
import { profiles } from './profiles/index.ts';
import { webhookRoutes } from './routes/webhooks.ts';
import { readConfig } from './runtime/config.ts';
import { httpHandler } from './runtime/http.ts';

const config = readConfig(['domainTable', 'deliveryTable', 'retentionDays', 'ownHosts', 'egressAllow']);
const client = dynamoClient();
const { seal } = createSealer(createPublicKeys(client, config.deliveryTable, Date.now));

const allowLoopback = config.egressAllow === 'loopback';
/** A resolver that does not answer must not hold the caller up: every attempt asks again. */
const resolve = (host: string) => resolvePublic(host, { allowLoopback, timeoutMs: 3000 });
const rules = {
  profiles,
  isEventType: (name: string) => builtInEventType(name) !== undefined,
  ownEventTypes: createEventTypesTable(client, config.domainTable).find,
  checkUrl: (url: string, allowHttp: boolean) =>
    checkAddress(url, { allowHttp, allowLoopback, ownHosts: config.ownHosts, isPublicAddress }, resolve),
};

export const handler = httpHandler(
  webhookRoutes(createWebhooksTable(client, config.domainTable, config.retentionDays), rules, seal),
  {
    surface: 'native',
    authenticate: keyCounter(dynamoClient({ maxAttempts: 1 }), config.deliveryTable),
    use: takeAwsUse,
  },
);
