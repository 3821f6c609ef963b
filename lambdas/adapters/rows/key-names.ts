import { resources } from '../../domain/foundation/resources.ts';

// Names of indexes, key attributes and key prefixes in the tables. The stack reads the names to create tables and to
// grant access to rows; the adapters read them to map rows. A role can only distinguish rows by their partition keys, so
// rows that different functions may write have different prefixes. table-keys.ts has the map of all rows.

export const indexes = {
  /**
   * An index of the domain table: lists an owner's tasks, jobs and templates, and those of its events whose ids hold no
   * time.
   */
  list: 'list',
  /** An index of the domain table: lists an owner's tasks that have the same external reference. */
  reference: 'reference',
  /**
   * An index of the domain table: lists, by the hour of the last change, the tasks, templates and jobs whose last change
   * becomes an event. The roll-up compares it with the events.
   */
  changes: 'changes',
  /**
   * An index of the delivery table: lists, by due time in milliseconds, deliveries that wait for an attempt and hours
   * that are counted again.
   */
  due: 'due',
  /**
   * An index of the delivery table: lists a webhook's deliveries by status. A delivery enters it at its first change,
   * unless that change sets the status `delivered`, and never leaves it.
   */
  attention: 'attention',
  /** An index of the delivery table: lists the failing webhooks by the start of their failing period. */
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
  changes: { partitionKey: 'changed_pk', sortKey: 'pk', sortKeyType: 'S', projects: 'keys only' },
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
  /** The webhooks of an owner. */
  ownerWebhooks: 'A#',
  /** The number of webhooks of an owner. */
  webhookCount: 'N#',
  /** The signing keys of an owner, which only the API's functions write and only deliver can use. */
  signingKeys: 'S#',
  command: 'X#',
  /** The own event types and templates of an owner. */
  catalogue: 'C#',
  /** The audit entries of an account in one month. */
  audit: 'U#',
  routing: 'R#',
  idempotency: 'I#',
  templateList: 'M#',
  /** The prefix for rows of a webhook: deliveries, health, rate limits and hourly counts. */
  webhook: 'W#',
  /** The prefix for rows of attempts: the partition key of an attempt is the id of its delivery. */
  attempt: 'dlv_',
  /** The limit of an account's deliveries in a minute (domain table) and the next free slot (delivery table). */
  accountDeliveries: 'Q#',
  due: 'D#',
  hourDue: 'H#',
  /** API keys, and the counters of accounts that authentication writes. */
  apiKey: 'K#',
  /** The list of an account's API keys. */
  apiKeyList: 'L#',
} as const;

/** The partition keys of those kinds of rows that have only one partition in a table or in an index. */
export const partitions = {
  heartbeat: 'HEARTBEAT',
  rollUp: 'ROLL-UP',
  dueSweep: 'DUE-SWEEP',
  accounts: 'ACCOUNTS',
  /** The ids of all accounts, for functions that may not read the accounts themselves. */
  accountIds: 'ACCOUNT-IDS',
  /** Operators, and their number. */
  operators: 'OPERATORS',
  keyring: 'KEYRING',
  /** The partition of all failing webhooks in the failing index. */
  failing: 'F',
} as const;
