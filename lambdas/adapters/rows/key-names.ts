import { resources } from '../../domain/foundation/resources.ts';

// Names in the keys of rows. The stack reads them to create tables and to grant access to rows; the adapters read them to map
// rows. table-keys.ts has the map of all rows.

export const indexes = {
  /** domain table */
  list: 'list',
  /** domain table */
  reference: 'reference',
  /** delivery table; `due_at` is in milliseconds. */
  due: 'due',
  /** delivery table. Holds deliveries that were refused, held or cancelled at least once. */
  attention: 'attention',
  /** delivery table */
  failing: 'failing',
} as const;

export interface IndexAttributes {
  readonly partitionKey: string;
  readonly sortKey: string;
  /** DynamoDB's type of the sort key; the partition key is always a string. */
  readonly sortKeyType: 'S' | 'N';
  /** Attributes that the index projects in addition to the keys. */
  readonly projects: readonly string[] | 'everything' | 'keys only';
}

export const indexAttributes: Readonly<Record<keyof typeof indexes, IndexAttributes>> = {
  list: { partitionKey: 'list_pk', sortKey: 'list_sk', sortKeyType: 'S', projects: ['type', 'resource'] },
  reference: { partitionKey: 'ref_pk', sortKey: 'ref_sk', sortKeyType: 'S', projects: 'keys only' },
  due: {
    partitionKey: 'due_pk',
    sortKey: 'due_at',
    sortKeyType: 'N',
    projects: ['ticket', 'parked', 'owner', 'event_id'],
  },
  attention: { partitionKey: 'att_pk', sortKey: 'sk', sortKeyType: 'S', projects: 'everything' },
  failing: { partitionKey: 'failing_pk', sortKey: 'failing_since', sortKeyType: 'N', projects: 'everything' },
};

/** What the partition keys of each kind of row begin with, in a table or in an index. */
export const prefixes = {
  task: `${resources.tasks.rows}#`,
  job: `${resources.jobs.rows}#`,
  event: 'E#',
  /** Rows of an owner or of an account: webhooks, commands, event types, templates, key listings, audit entries. */
  account: 'A#',
  routing: 'R#',
  idempotency: 'I#',
  templateList: 'M#',
  /** Deliveries, health, pace and hours of a webhook. */
  webhook: 'W#',
  /** The partition key of an attempt is the id of its delivery. */
  attempt: 'dlv_',
  due: 'D#',
  hourDue: 'H#',
  apiKey: 'K#',
} as const;

/** Between the account and the month in the partition key of an audit entry. */
export const AUDIT_INFIX = '#audit#';

/** Partition keys of which there is one in a table or in an index. */
export const partitions = {
  heartbeat: 'HEARTBEAT',
  rollUp: 'ROLL-UP',
  accounts: 'ACCOUNTS',
  keyring: 'KEYRING',
  /** All failing webhooks, in the failing index. */
  failing: 'F',
} as const;
