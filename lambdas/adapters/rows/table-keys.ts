import { shardOf, webhookOfDelivery } from '../../domain/foundation/id.ts';
import { AUDIT_INFIX, partitions, prefixes } from './key-names.ts';

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

export { indexes } from './key-names.ts';

/** A list is one query per shard: one partition takes 1,000 writes a second, and an account may well have more. */
export const SHARDS = 4;
export const DUE_SHARDS = 16;

export const taskKey = (id: string): Key => ({ pk: `${prefixes.task}${id}`, sk: 'task' });
export const taskListPk = (owner: string, shard: number): string => `${prefixes.task}${owner}#${shard}`;
export const taskReferencePk = (owner: string, reference: string): string => `${owner}#${reference}`;
export const jobKey = (id: string): Key => ({ pk: `${prefixes.job}${id}`, sk: 'job' });
export const jobListPk = (owner: string, shard: number): string => `${prefixes.job}${owner}#${shard}`;
export const eventListPk = (owner: string, shard: number): string => `${prefixes.event}${owner}#${shard}`;
export const eventKey = (owner: string, id: string): Key => ({ pk: eventListPk(owner, shardOf(id, SHARDS)), sk: id });
export const webhookKey = (owner: string, id: string): Key => ({ pk: `${prefixes.account}${owner}`, sk: id });
export const webhookCountKey = (owner: string): Key => ({ pk: `${prefixes.account}${owner}`, sk: 'webhook-count' });
export const commandKey = (owner: string, id: string): Key => ({ pk: `${prefixes.account}${owner}`, sk: `cmd#${id}` });
/** A partition for each month: `at` is RFC 3339. */
export const auditKey = (accountId: string, at: string, id: string): Key => ({
  pk: `${prefixes.account}${accountId}${AUDIT_INFIX}${at.slice(0, 7)}`,
  sk: id,
});
export const eventTypeKey = (owner: string, name: string): Key => ({
  pk: `${prefixes.account}${owner}`,
  sk: `typ#${name}`,
});
export const templateKey = (owner: string, id: string): Key => ({ pk: `${prefixes.account}${owner}`, sk: `tpl#${id}` });
/** Templates are changed by people, one at a time: one partition carries an account's. */
export const templateListPk = (owner: string): string => `${prefixes.templateList}${owner}`;
export const routingKey = (owner: string, type: string): Key => ({
  pk: `${prefixes.routing}${owner}#${type}`,
  sk: 'routing',
});
/** `scope` is an owner in the domain table and an account in the delivery table. */
export const idempotencyKey = (scope: string, path: string, key: string): Key => ({
  pk: `${prefixes.idempotency}${scope}`,
  sk: `${path}#${key}`,
});

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
export const leasesKey = (webhookId: string): Key => ({ pk: `${prefixes.webhook}${webhookId}`, sk: 'leases' });
/** An hour's counts of a webhook: sorted by the hour's start. */
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
export const apiKeyKey = (hash: string): Key => ({ pk: `${prefixes.apiKey}${hash}`, sk: 'key' });
export const apiKeyListingKey = (accountId: string, keyId: string): Key => ({
  pk: `${prefixes.account}${accountId}`,
  sk: keyId,
});
export const accountKey = (accountId: string): Key => ({ pk: partitions.accounts, sk: accountId });
export const publicKeysKey: Key = { pk: partitions.keyring, sk: 'public' };
