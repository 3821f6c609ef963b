import { shardOf, webhookOfDelivery } from '../../domain/foundation/id.ts';
import { type PartitionedResource, resources } from '../../domain/foundation/resources.ts';
import { partitions, prefixes } from './key-names.ts';

// The partition key (pk) and sort key (sk) of every row in the three tables. `o` is the owner, for example `acc_…#live`.
//
// domain table (its stream feeds the fan-out)                       index: its partition key / its sort key
//   task            T#tsk_…        task                             list: T#o#shard / status#created#id · reference: o#reference / created#id · changes: hour#shard / pk
//   job             J#job_…        job                              list: J#o#shard / status#created#id · changes, once its result is an event
//   event           E#o#shard      evt_…                            list, only for derived ids, which have no time: E#o#shard / created#id
//   webhook         A#o            whk_…
//   webhook count   N#o            webhook-count                    (and the ids of the webhooks with each URL)
//   signing keys    S#o            ES256 · RS256 · EdDSA            (public halves, and sealed private keys)
//   command         X#o            cmd#…
//   audit entry     U#acc_…#2026-11  aud_…                          (one partition for each month)
//   event type      C#o            typ#…
//   template        C#o            tpl#…                            list: M#o / created#id · changes, after an update
//   subscribers     R#o#type       routing · routing#customer       (the subscribers of one event type: a set of `webhook|resource`)
//   idempotency     I#o            path#key
//   account's limit Q#acc_…        limit                            (deliveries_per_minute, if it is not the default)
//   heartbeat       HEARTBEAT      stream                           (written and deleted every five minutes, so that the stream is never silent)
// delivery table (no stream)
//   delivery        W#whk_…#shard  dlv_…                            due: D#shard / due_at · attention: whk_…#shard#status / id
//   attempt         dlv_…          A#001
//   webhook health  W#whk_…        health                           failing: F / failing_since
//   rate limits     W#whk_…        slots · leases
//   account's slots Q#acc_…        slots                            (the next free slot under the account's deliveries_per_minute)
//   hour's counts   W#whk_…        hour#start                       due, until the hour is counted again: H#shard / due_at
//   roll-up         ROLL-UP        progress · event-retention · lost-changes (how far the hourly counts, the weekly retention round and the search for lost changes are)
//   due tick        DUE-SWEEP      progress                         (how far the messages of parked and overdue deliveries are)
//   account id      ACCOUNT-IDS    acc_…                            (the roll-up reads it, because it may not read accounts)
// credentials table (no stream; deliver, fan-out, due and roll-up have no permission on it)
//   API key         K#sha256       key
//   account minute  K#acc_…        minute#start                    (the requests of all keys of an account, if its keys count for it)
//   waiting calls   K#acc_…        waiting                          (the places of calls that wait for the result of a job)
//   key listing     L#acc_…        key_…
//   key list        L#acc_…        list                             (its version, and whether the account's keys count for it)
//   account         ACCOUNTS       acc_…                            (people create accounts one at a time, so one partition is enough)
//   idempotency     I#acc_…        path#key                         (first answers of calls on API keys; `I#operator`: of calls on accounts)
//   operator        OPERATORS      opr_… · count
//   public keys     KEYRING        public

export interface Key {
  readonly pk: string;
  readonly sk: string;
}

export { indexes } from './key-names.ts';

/**
 * The number of partitions over which the rows of one list are spread, for example the list of an account's events. One
 * partition takes 1,000 writes a second, and a busy account may need more.
 */
export const SHARDS = 4;
/** The number of partitions over which deliveries are spread in the due index. */
export const DUE_SHARDS = 16;
/** The number of partitions over which the changes of one hour, of all accounts together, are spread in their index. */
export const CHANGE_SHARDS = 16;

/** Returns the key of the row of one item, for a resource with `rows` in resources.ts. */
export const itemKey = (resource: PartitionedResource, id: string): Key => ({
  pk: `${resources[resource].rows}#${id}`,
  sk: resources[resource].noun,
});
/**
 * Returns the partition key of one shard of an owner's items in the index `list`, for a resource with `rows` in
 * resources.ts.
 */
export const itemListPk = (resource: PartitionedResource, owner: string, shard: number): string =>
  `${resources[resource].rows}#${owner}#${shard}`;

export const taskKey = (id: string): Key => itemKey('tasks', id);
export const taskListPk = (owner: string, shard: number): string => itemListPk('tasks', owner, shard);
export const taskReferencePk = (owner: string, reference: string): string => `${owner}#${reference}`;
export const jobKey = (id: string): Key => itemKey('jobs', id);
export const jobListPk = (owner: string, shard: number): string => itemListPk('jobs', owner, shard);
export const eventListPk = (owner: string, shard: number): string => `${prefixes.event}${owner}#${shard}`;
export const eventKey = (owner: string, id: string): Key => ({ pk: eventListPk(owner, shardOf(id, SHARDS)), sk: id });
export const webhookKey = (owner: string, id: string): Key => ({ pk: `${prefixes.ownerWebhooks}${owner}`, sk: id });
export const webhookCountKey = (owner: string): Key => ({
  pk: `${prefixes.webhookCount}${owner}`,
  sk: 'webhook-count',
});
/** Returns the key of the row with an owner's signing keys of one algorithm. */
export const signingKeysKey = (owner: string, alg: string): Key => ({ pk: `${prefixes.signingKeys}${owner}`, sk: alg });
export const commandKey = (owner: string, id: string): Key => ({ pk: `${prefixes.command}${owner}`, sk: `cmd#${id}` });
/** Returns the key of an audit entry. Audit entries have a partition for each account and month. `at` is RFC 3339. */
export const auditKey = (accountId: string, at: string, id: string): Key => ({
  pk: `${prefixes.audit}${accountId}#${at.slice(0, 7)}`,
  sk: id,
});
export const eventTypeKey = (owner: string, name: string): Key => ({
  pk: `${prefixes.catalogue}${owner}`,
  sk: `typ#${name}`,
});
export const templateKey = (owner: string, id: string): Key => ({
  pk: `${prefixes.catalogue}${owner}`,
  sk: `tpl#${id}`,
});
/**
 * Returns the partition key of an owner's templates in the index `list`. One partition is enough, because people change
 * templates one at a time.
 */
export const templateListPk = (owner: string): string => `${prefixes.templateList}${owner}`;
/**
 * Returns the key of the row with the subscribers of an event type that belong to a customer of the account; null = to
 * the account itself. The customer is the end of the sort key, so no customer's name can give the key of another row.
 */
export const routingKey = (owner: string, type: string, customer: string | null): Key => ({
  pk: `${prefixes.routing}${owner}#${type}`,
  sk: customer === null ? 'routing' : `routing#${customer}`,
});
/**
 * Returns the key of the row that stores the first answer to an Idempotency-Key, for repeats. `scope` is an owner in the
 * domain table, and an account or `operator` in the credentials table.
 */
export const idempotencyKey = (scope: string, path: string, key: string): Key => ({
  pk: `${prefixes.idempotency}${scope}`,
  sk: `${path}#${key}`,
});

/** Returns the partition key, in the index `changes`, of one shard of the changes in the hour that begins at `startMs`. */
export const changesPk = (startMs: number, shard: number): string =>
  `${new Date(startMs).toISOString().slice(0, 13)}#${shard}`;
/**
 * Returns the partition key, in the index `changes`, of a thing that changed at `changedAt` (RFC 3339). It holds only the
 * hour, because a second change in the same hour then writes nothing to the index.
 */
export const changesPkOf = (changedAt: string, id: string): string =>
  changesPk(Date.parse(changedAt), shardOf(id, CHANGE_SHARDS));

export const heartbeatKey: Key = { pk: partitions.heartbeat, sk: 'stream' };

export const deliveryPk = (webhookId: string, shard: number): string => `${prefixes.webhook}${webhookId}#${shard}`;
export const deliveryKey = (id: string): Key => ({
  pk: deliveryPk(webhookOfDelivery(id), shardOf(id, SHARDS)),
  sk: id,
});
export const attemptKey = (id: string, number: number): Key => ({
  pk: id,
  sk: `A#${String(number).padStart(3, '0')}`,
});
export const duePk = (shard: number): string => `${prefixes.due}${shard}`;
export const duePkOf = (id: string): string => duePk(shardOf(id, DUE_SHARDS));
export const attentionPk = (webhookId: string, shard: number, status: string): string =>
  `${webhookId}#${shard}#${status}`;
export const attentionPkOf = (id: string, status: string): string =>
  attentionPk(webhookOfDelivery(id), shardOf(id, SHARDS), status);
export const healthKey = (webhookId: string): Key => ({ pk: `${prefixes.webhook}${webhookId}`, sk: 'health' });
export const slotsKey = (webhookId: string): Key => ({ pk: `${prefixes.webhook}${webhookId}`, sk: 'slots' });
export const accountLimitKey = (accountId: string): Key => ({
  pk: `${prefixes.accountDeliveries}${accountId}`,
  sk: 'limit',
});
export const accountSlotsKey = (accountId: string): Key => ({
  pk: `${prefixes.accountDeliveries}${accountId}`,
  sk: 'slots',
});
export const leasesKey = (webhookId: string): Key => ({ pk: `${prefixes.webhook}${webhookId}`, sk: 'leases' });
/** Returns the key of the counts of one hour of a webhook. The keys are sorted by the start of the hour. */
export const hourKey = (webhookId: string, startMs: number): Key => ({
  pk: `${prefixes.webhook}${webhookId}`,
  sk: `hour#${new Date(startMs).toISOString()}`,
});
export const hourOfKey = ({ pk, sk }: { pk?: unknown; sk?: unknown }): { webhookId: string; startMs: number } => ({
  webhookId: String(pk).slice(prefixes.webhook.length),
  startMs: Date.parse(String(sk).slice('hour#'.length)),
});
export const hourDuePk = (shard: number): string => `${prefixes.hourDue}${shard}`;
export const hourDuePkOf = (webhookId: string): string => hourDuePk(shardOf(webhookId, SHARDS));
export const rollUpProgressKey: Key = { pk: partitions.rollUp, sk: 'progress' };
export const retentionProgressKey: Key = { pk: partitions.rollUp, sk: 'event-retention' };
export const lostChangesProgressKey: Key = { pk: partitions.rollUp, sk: 'lost-changes' };
export const sweepProgressKey: Key = { pk: partitions.dueSweep, sk: 'progress' };
export const apiKeyKey = (hash: string): Key => ({ pk: `${prefixes.apiKey}${hash}`, sk: 'key' });
/** Returns the key of the row that counts the requests of an account in the minute of the clock that begins at `startMs`. */
export const accountMinuteKey = (accountId: string, startMs: number): Key => ({
  pk: `${prefixes.apiKey}${accountId}`,
  sk: `minute#${new Date(startMs).toISOString()}`,
});
/** Returns the key of the row with the places of an account's calls that wait for the result of a job. */
export const waitingPlacesKey = (accountId: string): Key => ({ pk: `${prefixes.apiKey}${accountId}`, sk: 'waiting' });
export const apiKeyListingKey = (accountId: string, keyId: string): Key => ({
  pk: `${prefixes.apiKeyList}${accountId}`,
  sk: keyId,
});
/** Returns the key of the row with the version of an account's list of API keys. */
export const apiKeyListKey = (accountId: string): Key => ({ pk: `${prefixes.apiKeyList}${accountId}`, sk: 'list' });
export const accountKey = (accountId: string): Key => ({ pk: partitions.accounts, sk: accountId });
export const accountIdKey = (accountId: string): Key => ({ pk: partitions.accountIds, sk: accountId });
export const operatorKeyOf = (id: string): Key => ({ pk: partitions.operators, sk: id });
export const operatorCountKey: Key = { pk: partitions.operators, sk: 'count' };
export const publicKeysKey: Key = { pk: partitions.keyring, sk: 'public' };
