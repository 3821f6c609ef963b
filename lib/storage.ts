import type { Table } from 'aws-cdk-lib/aws-dynamodb';
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';
import { AUDIT_INFIX, indexes, partitions, prefixes } from '../lambdas/adapters/rows/key-names.ts';
import { env } from '../lambdas/runtime/env.ts';
import { grant, grantCustomerKey, type Permission } from './lambda-function.ts';
import type { StageConfig } from './stage-config.ts';
import { deliveryTable, domainTable } from './tables.ts';

// Actions of PartiQL. They are granted without leading keys, because AWS documents that condition only for the plain
// calls. IAM checks a transaction as the single calls that it contains.
const partiql = { insert: 'dynamodb:PartiQLInsert', update: 'dynamodb:PartiQLUpdate' } as const;

/** Patterns of partition keys: of all rows of a kind, or of the one partition that a kind has. */
const keys = {
  ...(Object.fromEntries(Object.entries(prefixes).map(([kind, prefix]) => [kind, `${prefix}*`])) as Record<
    keyof typeof prefixes,
    string
  >),
  ...partitions,
};

/**
 * The pattern of the partition keys of audit entries. A function that may put rows of an account (`A#*`) may put audit
 * entries, too: an audit entry is written in the same transaction as the change that it describes.
 */
const AUDIT = `${keys.account}${AUDIT_INFIX}*`;

/** The patterns of the partition keys of an account's rows in both modes, without its audit entries. */
const OWNED = [`${keys.account}#live`, `${keys.account}#test`];

/**
 * Both tables, and the grants on their rows: each method lets one function do one kind of work.
 * `lambdas/adapters/rows/table-keys.ts` has the map of the rows.
 */
export class Storage extends Construct {
  readonly domainTable: Table;
  readonly deliveryTable: Table;
  private readonly stage: StageConfig;

  constructor(scope: Construct, id: string, { stage }: { readonly stage: StageConfig }) {
    super(scope, id);
    this.stage = stage;
    this.domainTable = domainTable(this, stage);
    this.deliveryTable = deliveryTable(this, stage);
  }

  /** Lets a function authenticate a request and count it by one conditional write on the row of the API key. */
  grantKeyCounting(fn: LambdaFunction): void {
    this.grantDelivery(fn, this.delivery(['UpdateItem'], [keys.apiKey]));
  }

  /** Lets a function create, read, list and move tasks. */
  grantTasks(fn: LambdaFunction): void {
    this.grantDomain(
      fn,
      this.domain(['GetItem', 'BatchGetItem', 'PutItem'], [keys.task]),
      this.index(this.domainTable, indexes.list),
      this.index(this.domainTable, indexes.reference),
    );
  }

  /** Lets a function change webhooks and their event routing, and read the public keys, which can only seal secrets. */
  grantWebhooks(fn: LambdaFunction): void {
    this.grantDomain(
      fn,
      this.domain(['GetItem', 'BatchGetItem', 'Query', 'PutItem'], [keys.account]),
      this.domain(['UpdateItem'], [keys.account, keys.routing]),
    );
    this.grantPublicKeys(fn);
    this.setRetention(fn);
  }

  /** Lets a function store and read the first response to a request with an `Idempotency-Key`. */
  grantFirstAnswers(fn: LambdaFunction): void {
    this.grantDomain(fn, this.domain(['GetItem', 'PutItem'], [keys.idempotency]));
  }

  /** Lets a function bind a webhook to another resource: it reads the routing rows that it replaces. */
  grantResourceChanges(fn: LambdaFunction): void {
    this.grantDomain(fn, this.domain(['BatchGetItem'], [keys.routing]));
  }

  /** Lets a function publish and read events, read their deliveries, and submit commands that redeliver them. */
  grantEvents(fn: LambdaFunction): void {
    this.grantDomain(
      fn,
      this.domain(['GetItem', 'BatchGetItem', 'Query'], [keys.event, keys.account]),
      this.domain(['BatchGetItem'], [keys.routing]),
      this.domain(['UpdateItem'], [keys.event]),
      this.domain(['PutItem'], [keys.account, keys.event, keys.idempotency]),
      this.domain(['GetItem'], [keys.idempotency]),
      { actions: [partiql.insert], resources: [this.domainTable.tableArn] },
      this.index(this.domainTable, indexes.list),
    );
    this.grantDelivery(fn, this.delivery(['BatchGetItem'], [keys.webhook]));
    this.setRetention(fn);
  }

  /** Lets a function read, write and delete an account's own event types and templates. */
  grantCatalogue(fn: LambdaFunction): void {
    this.grantDomain(
      fn,
      this.domain(['GetItem', 'BatchGetItem', 'Query', 'PutItem', 'DeleteItem'], [keys.account]),
      this.index(this.domainTable, indexes.list),
    );
  }

  /**
   * Lets a function create, read and complete jobs, and find out whether any webhook would receive a job's result as an
   * event.
   */
  grantJobs(fn: LambdaFunction): void {
    this.grantDomain(
      fn,
      this.domain(['GetItem', 'PutItem'], [keys.job]),
      this.domain(['BatchGetItem'], [keys.job, keys.routing, keys.account]),
      this.index(this.domainTable, indexes.list),
    );
    this.setRetention(fn);
  }

  /** Lets a function list a webhook's deliveries. */
  grantDeliveryListing(fn: LambdaFunction): void {
    this.grantDelivery(fn, this.delivery(['Query'], [keys.webhook]), this.delivery(['BatchGetItem'], [keys.attempt]));
  }

  /** Lets a function read deliveries and their attempts, and submit commands that redeliver deliveries. */
  grantDeliveryHistory(fn: LambdaFunction): void {
    this.grantDomain(
      fn,
      this.domain(['GetItem'], [keys.account, keys.event, keys.idempotency]),
      this.domain(['BatchGetItem'], [keys.account]),
      this.domain(['PutItem'], [keys.account, keys.event, keys.idempotency, keys.job]),
    );
    this.grantDelivery(
      fn,
      this.delivery(['BatchGetItem', 'Query'], [keys.webhook, keys.attempt]),
      this.index(this.deliveryTable, indexes.attention),
    );
    this.setRetention(fn);
  }

  /** Lets a function read the progress of the roll-up: the hour up to which deliveries have been counted. */
  grantHours(fn: LambdaFunction): void {
    this.grantDelivery(fn, this.delivery(['GetItem'], [keys.rollUp]));
  }

  /** Lets a function create, list, rotate and revoke API keys. */
  grantKeys(fn: LambdaFunction): void {
    this.grantDomain(fn, this.domain(['PutItem'], [AUDIT]));
    this.grantDelivery(
      fn,
      this.delivery(['GetItem'], [keys.accounts, keys.account, keys.idempotency]),
      this.delivery(['BatchGetItem'], [keys.apiKey]),
      this.delivery(['PutItem'], [keys.apiKey, keys.account, keys.idempotency]),
      this.delivery(['UpdateItem'], [keys.apiKey, keys.account]),
      this.delivery(['Query', 'DeleteItem'], [keys.account]),
      this.delivery(['ConditionCheckItem'], [keys.accounts]),
    );
  }

  /** Lets a function create and change accounts, create their first keys, and delete an account that is empty. */
  grantAccounts(fn: LambdaFunction): void {
    this.grantDomain(
      fn,
      this.domain(['PutItem'], [AUDIT]),
      this.domain(['Query'], OWNED),
      this.domain(['DeleteItem'], [...OWNED, keys.routing]),
      this.domain(['BatchGetItem'], [keys.job]),
      this.index(this.domainTable, indexes.list),
    );
    this.grantDelivery(
      fn,
      this.delivery(['GetItem'], [keys.accounts, keys.idempotency]),
      this.delivery(['PutItem'], [keys.accounts, keys.apiKey, keys.account, keys.idempotency]),
      this.delivery(['UpdateItem'], [keys.accounts, keys.apiKey]),
      this.delivery(['Query', 'DeleteItem'], [keys.accounts, keys.account]),
    );
    this.setRetention(fn);
  }

  /** Lets a function read the audit entries of an account. */
  grantAudit(fn: LambdaFunction): void {
    this.grantDomain(fn, this.domain(['Query'], [AUDIT]));
  }

  /** Lets a function read the public half of the keyring. */
  grantPublicKeys(fn: LambdaFunction): void {
    this.grantDelivery(fn, this.delivery(['GetItem'], [keys.keyring]));
  }

  /** Lets a function write the row of the operator's API key and the row of the public keys. */
  grantFirstKeys(fn: LambdaFunction): void {
    this.grantDelivery(fn, this.delivery(['PutItem'], [keys.apiKey, keys.keyring]));
  }

  /** Lets the fan-out turn changes into events and deliveries. */
  grantFanOut(fn: LambdaFunction): void {
    this.grantDomain(
      fn,
      // The fan-out reads routing rows, and the TTL of events whose deliveries are redelivered.
      this.domain(['BatchGetItem'], [keys.routing, keys.event]),
      // The fan-out extends the TTL of events, and records the progress of a recovery job.
      this.domain(['UpdateItem'], [keys.event, keys.job]),
      { actions: [partiql.insert], resources: [this.domainTable.tableArn] },
      // Lambda needs these actions in the role of a mapping's function.
      {
        actions: ['DescribeStream', 'GetRecords', 'GetShardIterator', 'ListStreams'].map((name) => `dynamodb:${name}`),
        resources: [this.domainTable.tableStreamArn ?? ''],
      },
    );
    this.grantDelivery(
      fn,
      { actions: [partiql.insert, partiql.update], resources: [this.deliveryTable.tableArn] },
      this.index(this.deliveryTable, indexes.attention),
      // The fan-out redelivers deliveries, marks their hours to be counted again, and ends the failing state of an
      // enabled webhook.
      this.delivery(['BatchGetItem', 'UpdateItem'], [keys.webhook]),
      // The fan-out finds and deletes the history of a webhook that is deleted together with its history.
      this.delivery(['Query'], [keys.webhook]),
      this.delivery(['BatchWriteItem'], [keys.webhook, keys.attempt]),
    );
    this.setRetention(fn);
  }

  /** Lets deliver read deliveries, record results, change the health of webhooks, disable them and emit events. */
  grantDeliver(fn: LambdaFunction): void {
    this.grantDomain(
      fn,
      this.domain(['BatchGetItem'], [keys.account, keys.event]),
      this.domain(['UpdateItem'], [keys.account]),
      this.domain(['PutItem'], [keys.event]),
    );
    this.grantDelivery(fn, this.delivery(['GetItem', 'BatchGetItem', 'UpdateItem'], [keys.webhook]), {
      actions: [partiql.insert, partiql.update],
      resources: [this.deliveryTable.tableArn],
    });
    this.setRetention(fn);
  }

  /** Lets a function find due deliveries in the due index, update their rows, and store how far it is. */
  grantDue(fn: LambdaFunction): void {
    this.grantDelivery(
      fn,
      this.delivery(['GetItem', 'UpdateItem'], [keys.dueSweep]),
      { actions: [partiql.update], resources: [this.deliveryTable.tableArn] },
      this.index(this.deliveryTable, indexes.due),
    );
  }

  /**
   * Lets the roll-up count the hours of every webhook, release or cancel held deliveries, extend the retention of
   * events with unfinished deliveries, and write the stream's heartbeat.
   */
  grantRollUp(fn: LambdaFunction): void {
    this.grantDomain(
      fn,
      this.domain(['PutItem', 'DeleteItem'], [keys.heartbeat]),
      this.domain(['GetItem', 'Query'], [keys.account]),
      this.domain(['BatchGetItem', 'UpdateItem'], [keys.event]),
    );
    this.grantDelivery(
      fn,
      this.delivery(['Query'], [keys.accounts, keys.webhook]),
      this.delivery(['GetItem'], [keys.rollUp]),
      this.delivery(['UpdateItem'], [keys.rollUp, keys.webhook]),
      { actions: [partiql.update], resources: [this.deliveryTable.tableArn] },
      this.index(this.deliveryTable, indexes.due),
      this.index(this.deliveryTable, indexes.attention),
    );
    this.setRetention(fn);
  }

  /** Sets the retention variable of a function that writes rows with a TTL or decides whether a row has expired. */
  private setRetention(fn: LambdaFunction): void {
    grant(fn, [], { [env.retentionDays]: String(this.stage.retentionDays) });
  }

  private domain(names: readonly string[], leadingKeys: readonly string[]): Permission {
    return { actions: names.map((name) => `dynamodb:${name}`), resources: [this.domainTable.tableArn], leadingKeys };
  }

  private delivery(names: readonly string[], leadingKeys: readonly string[]): Permission {
    return { actions: names.map((name) => `dynamodb:${name}`), resources: [this.deliveryTable.tableArn], leadingKeys };
  }

  private index(table: Table, name: string): Permission {
    return { actions: ['dynamodb:Query'], resources: [`${table.tableArn}/index/${name}`] };
  }

  private grantDomain(fn: LambdaFunction, ...permissions: readonly Permission[]): void {
    grant(fn, permissions, { [env.domainTable]: this.domainTable.tableName });
    grantCustomerKey(fn, this.stage, 'dynamodb');
  }

  private grantDelivery(fn: LambdaFunction, ...permissions: readonly Permission[]): void {
    grant(fn, permissions, { [env.deliveryTable]: this.deliveryTable.tableName });
    grantCustomerKey(fn, this.stage, 'dynamodb');
  }
}
