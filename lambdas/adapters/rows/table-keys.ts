import { shardOf, webhookOfDelivery } from '../../domain/foundation/id.ts';
import { type PartitionedResource, resources } from '../../domain/foundation/resources.ts';

// Where each row stands. Two tables, each with `pk` and `sk`; `o` below is the owner, `acc_…#live`.
//
// domain table (has the stream)                                     indexes
//   task            T#tsk_…        task                             list: T#o#shard / status#created#id · reference: o#reference / created#id
//   job             J#job_…        job                              list: J#o#shard / status#created#id
//   event           E#o#shard      evt_…                            list, only ids without a time: E#o#shard / created#id
//   webhook         A#o            whk_…
//   webhook count   A#o            webhook-count
//   command         A#o            cmd#…
//   audit entry     A#acc_…#audit#2026-11  aud_…                    (as many as changes: the account's own partition carries those)
//   event type      A#o            typ#…
//   template        A#o            tpl#…                            list: M#o / created#id
//   who wants a type R#o#type      routing                          (a set of `webhook|resource`)
//   idempotency     I#o            path#key
//   heartbeat       HEARTBEAT      stream                           (there for a moment, every five minutes)
// delivery table (no stream)
//   delivery        W#whk_…#shard  dlv_…                            due: D#shard / due_at · attention: whk_…#shard#status / id
//   attempt         dlv_…          A#001
//   webhook health  W#whk_…        health                           failing: F / failing_since
//   webhook pace    W#whk_…        slots · leases
//   hour's counts   W#whk_…        hour#start                       due, while they are to be counted again: H#shard / due_at
//   roll-up         ROLL-UP        progress · event-retention               (of its hours, and of its round through what is owed)
//   API key         K#sha256       key
//   key listing     A#acc_…        key_…
//   account         ACCOUNTS       acc_…                            (made by people, one at a time: one partition carries them)
//   idempotency     I#acc_…        path#key
//   public keys     KEYRING        public

export interface Key {
  readonly pk: string;
  readonly sk: string;
}

export const indexes = {
  /** domain table: `list_pk`, `list_sk`; projects `type` and `resource`. */
  list: 'list',
  /** domain table: `ref_pk`, `ref_sk`; keys only. */
  reference: 'reference',
  /** delivery table: `due_pk`, `due_at` (a number, milliseconds); projects `ticket`, `parked`, `owner`, `event_id`. */
  due: 'due',
  /** delivery table: `att_pk`, `sk`; everything projected. Rows that were refused, held or cancelled at least once. */
  attention: 'attention',
  /** delivery table: `failing_pk`, `failing_since`; everything projected. */
  failing: 'failing',
} as const;

/** A list is one query per shard: one partition takes 1,000 writes a second, and an account may well have more. */
export const SHARDS = 4;
export const DUE_SHARDS = 16;

/** The row of one item, for a resource with `rows` in resources.ts. */
export const itemKey = (resource: PartitionedResource, id: string): Key => ({
  pk: `${resources[resource].rows}#${id}`,
  sk: resources[resource].noun,
});
/** One shard of an owner's items in the index `list`, for the same resources. */
export const itemListPk = (resource: PartitionedResource, owner: string, shard: number): string =>
  `${resources[resource].rows}#${owner}#${shard}`;

export const taskKey = (id: string): Key => itemKey('tasks', id);
export const taskListPk = (owner: string, shard: number): string => itemListPk('tasks', owner, shard);
export const taskReferencePk = (owner: string, reference: string): string => `${owner}#${reference}`;
export const jobKey = (id: string): Key => itemKey('jobs', id);
export const jobListPk = (owner: string, shard: number): string => itemListPk('jobs', owner, shard);
export const eventListPk = (owner: string, shard: number): string => `E#${owner}#${shard}`;
export const eventKey = (owner: string, id: string): Key => ({ pk: eventListPk(owner, shardOf(id, SHARDS)), sk: id });
export const webhookKey = (owner: string, id: string): Key => ({ pk: `A#${owner}`, sk: id });
export const webhookCountKey = (owner: string): Key => ({ pk: `A#${owner}`, sk: 'webhook-count' });
export const commandKey = (owner: string, id: string): Key => ({ pk: `A#${owner}`, sk: `cmd#${id}` });
/** A partition for each month: `at` is RFC 3339. */
export const auditKey = (accountId: string, at: string, id: string): Key => ({
  pk: `A#${accountId}#audit#${at.slice(0, 7)}`,
  sk: id,
});
export const eventTypeKey = (owner: string, name: string): Key => ({ pk: `A#${owner}`, sk: `typ#${name}` });
export const templateKey = (owner: string, id: string): Key => ({ pk: `A#${owner}`, sk: `tpl#${id}` });
/** Templates are changed by people, one at a time: one partition carries an account's. */
export const templateListPk = (owner: string): string => `M#${owner}`;
export const routingKey = (owner: string, type: string): Key => ({ pk: `R#${owner}#${type}`, sk: 'routing' });
/** `scope` is an owner in the domain table and an account in the delivery table. */
export const idempotencyKey = (scope: string, path: string, key: string): Key => ({
  pk: `I#${scope}`,
  sk: `${path}#${key}`,
});

export const heartbeatKey: Key = { pk: 'HEARTBEAT', sk: 'stream' };

export const deliveryPk = (webhookId: string, shard: number): string => `W#${webhookId}#${shard}`;
export const deliveryKey = (id: string): Key => ({
  pk: deliveryPk(webhookOfDelivery(id), shardOf(id, SHARDS)),
  sk: id,
});
export const attemptKey = (id: string, number: number): Key => ({
  pk: id,
  sk: `A#${String(number).padStart(3, '0')}`,
});
export const duePk = (shard: number): string => `D#${shard}`;
export const duePkOf = (id: string): string => duePk(shardOf(id, DUE_SHARDS));
export const attentionPk = (webhookId: string, shard: number, status: string): string =>
  `${webhookId}#${shard}#${status}`;
export const attentionPkOf = (id: string, status: string): string =>
  attentionPk(webhookOfDelivery(id), shardOf(id, SHARDS), status);
export const healthKey = (webhookId: string): Key => ({ pk: `W#${webhookId}`, sk: 'health' });
export const slotsKey = (webhookId: string): Key => ({ pk: `W#${webhookId}`, sk: 'slots' });
export const leasesKey = (webhookId: string): Key => ({ pk: `W#${webhookId}`, sk: 'leases' });
/** An hour's counts of a webhook: sorted by the hour's start. */
export const hourKey = (webhookId: string, startMs: number): Key => ({
  pk: `W#${webhookId}`,
  sk: `hour#${new Date(startMs).toISOString()}`,
});
export const hourOfKey = ({ pk, sk }: { pk?: unknown; sk?: unknown }): { webhookId: string; startMs: number } => ({
  webhookId: String(pk).slice('W#'.length),
  startMs: Date.parse(String(sk).slice('hour#'.length)),
});
export const hourDuePk = (shard: number): string => `H#${shard}`;
export const hourDuePkOf = (webhookId: string): string => hourDuePk(shardOf(webhookId, SHARDS));
export const rollUpProgressKey: Key = { pk: 'ROLL-UP', sk: 'progress' };
export const retentionProgressKey: Key = { pk: 'ROLL-UP', sk: 'event-retention' };
export const apiKeyKey = (hash: string): Key => ({ pk: `K#${hash}`, sk: 'key' });
export const apiKeyListingKey = (accountId: string, keyId: string): Key => ({ pk: `A#${accountId}`, sk: keyId });
export const accountKey = (accountId: string): Key => ({ pk: 'ACCOUNTS', sk: accountId });
export const publicKeysKey: Key = { pk: 'KEYRING', sk: 'public' };
