import type { Table } from 'aws-cdk-lib/aws-dynamodb';
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';
import { indexes } from '../lambdas/adapters/rows/key-names.ts';
import { env } from '../lambdas/runtime/env.ts';
import { grant, grantCustomerKey, type Permission } from './lambda-function.ts';
import { indexPermission, keys, rowPermission } from './row-permissions.ts';
import type { StageConfig } from './stage-config.ts';
import { credentialsTable, deliveryTable, domainTable } from './tables.ts';

/**
 * The three tables, and the grants on their rows: each method lets one function do one kind of work.
 * `lambdas/adapters/rows/table-keys.ts` has the map of the rows.
 */
export class Storage extends Construct {
  readonly domainTable: Table;
  readonly deliveryTable: Table;
  readonly credentialsTable: Table;
  private readonly stage: StageConfig;

  constructor(scope: Construct, id: string, { stage }: { readonly stage: StageConfig }) {
    super(scope, id);
    this.stage = stage;
    this.domainTable = domainTable(this, stage);
    this.deliveryTable = deliveryTable(this, stage);
    this.credentialsTable = credentialsTable(this, stage);
  }

  /** Lets a function authenticate a request and count it by one conditional write on the row of the API key. */
  grantKeyCounting(fn: LambdaFunction): void {
    this.grantCredentials(fn, this.credentials(['UpdateItem'], [keys.apiKey]));
  }

  /** Lets a function create, read, list and move tasks. */
  grantTasks(fn: LambdaFunction): void {
    this.grantDomain(
      fn,
      this.domain(['GetItem', 'BatchGetItem', 'PutItem'], [keys.task]),
      indexPermission(this.domainTable, indexes.list),
      indexPermission(this.domainTable, indexes.reference),
    );
  }

  /** Lets a function change webhooks and their event routing, and read the public keys, which can only seal secrets. */
  grantWebhooks(fn: LambdaFunction): void {
    this.grantDomain(
      fn,
      this.domain(['GetItem', 'Query'], [keys.ownerWebhooks]),
      // Reads the account's own event types that the webhook names.
      this.domain(['BatchGetItem'], [keys.catalogue]),
      this.domain(['PutItem'], [keys.ownerWebhooks, keys.command, keys.audit]),
      // Reads and writes the number of webhooks and the ids of the webhooks with each URL.
      this.domain(['GetItem'], [keys.webhookCount]),
      this.domain(['UpdateItem'], [keys.webhookCount, keys.routing]),
    );
    this.grantPublicKeys(fn);
    this.setRetention(fn);
  }

  /** Lets a function find out whether a template exists. */
  grantTemplateLookup(fn: LambdaFunction): void {
    this.grantDomain(fn, this.domain(['GetItem'], [keys.catalogue]));
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
      this.domain(['GetItem'], [keys.event, keys.ownerWebhooks, keys.idempotency]),
      this.domain(['BatchGetItem'], [keys.event, keys.catalogue, keys.routing]),
      this.domain(['Query'], [keys.event, keys.ownerWebhooks]),
      this.domain(['UpdateItem', 'PartiQLInsert'], [keys.event]),
      this.domain(['PutItem'], [keys.command, keys.audit, keys.event, keys.idempotency]),
      indexPermission(this.domainTable, indexes.list),
    );
    this.grantDelivery(fn, this.delivery(['BatchGetItem'], [keys.webhook]));
    this.setRetention(fn);
  }

  /** Lets a function read, write and delete an account's own event types and templates. */
  grantCatalogue(fn: LambdaFunction): void {
    this.grantDomain(
      fn,
      this.domain(['GetItem', 'BatchGetItem', 'Query', 'DeleteItem'], [keys.catalogue]),
      this.domain(['PutItem'], [keys.catalogue, keys.audit]),
      indexPermission(this.domainTable, indexes.list),
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
      this.domain(['BatchGetItem'], [keys.job, keys.routing, keys.ownerWebhooks]),
      indexPermission(this.domainTable, indexes.list),
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
      this.domain(['GetItem'], [keys.ownerWebhooks, keys.event, keys.idempotency]),
      this.domain(['BatchGetItem'], [keys.catalogue]),
      this.domain(['PutItem'], [keys.command, keys.audit, keys.event, keys.idempotency, keys.job]),
    );
    this.grantDelivery(
      fn,
      this.delivery(['BatchGetItem', 'Query'], [keys.webhook, keys.attempt]),
      indexPermission(this.deliveryTable, indexes.attention),
    );
    this.setRetention(fn);
  }

  /** Lets a function read the progress of the roll-up: the hour up to which deliveries have been counted. */
  grantHours(fn: LambdaFunction): void {
    this.grantDelivery(fn, this.delivery(['GetItem'], [keys.rollUp]));
  }

  /** Lets a function create, list, rotate and revoke API keys. */
  grantKeys(fn: LambdaFunction): void {
    this.grantDomain(fn, this.domain(['PutItem'], [keys.audit]));
    this.grantCredentials(
      fn,
      this.credentials(['GetItem'], [keys.accounts, keys.apiKeyList, keys.idempotency]),
      this.credentials(['BatchGetItem'], [keys.apiKey]),
      this.credentials(['PutItem'], [keys.apiKey, keys.apiKeyList, keys.idempotency]),
      this.credentials(['UpdateItem'], [keys.apiKey, keys.apiKeyList]),
      this.credentials(['Query', 'DeleteItem'], [keys.apiKeyList]),
      this.credentials(['ConditionCheckItem'], [keys.accounts]),
    );
  }

  /** Lets a function create and change accounts, create their first keys, and delete an account that is empty. */
  grantAccounts(fn: LambdaFunction): void {
    this.grantDomain(
      fn,
      this.domain(['PutItem'], [keys.audit]),
      this.domain(['Query'], [keys.ownerWebhooks, keys.catalogue]),
      this.domain(['DeleteItem'], [keys.webhookCount, keys.routing]),
      this.domain(['BatchGetItem'], [keys.job]),
      indexPermission(this.domainTable, indexes.list),
    );
    this.grantDelivery(fn, this.delivery(['PutItem', 'DeleteItem'], [keys.accountIds]));
    this.grantCredentials(
      fn,
      this.credentials(['GetItem'], [keys.accounts, keys.idempotency]),
      this.credentials(['PutItem'], [keys.accounts, keys.apiKey, keys.apiKeyList, keys.idempotency]),
      this.credentials(['UpdateItem'], [keys.accounts, keys.apiKey]),
      this.credentials(['Query', 'DeleteItem'], [keys.accounts, keys.apiKeyList]),
    );
    this.setRetention(fn);
  }

  /** Lets a function read the audit entries of an account. */
  grantAudit(fn: LambdaFunction): void {
    this.grantDomain(fn, this.domain(['Query'], [keys.audit]));
  }

  /** Lets a function read the public half of the keyring. */
  grantPublicKeys(fn: LambdaFunction): void {
    this.grantCredentials(fn, this.credentials(['GetItem'], [keys.keyring]));
  }

  /** Lets a function write the row of the operator's API key and the row of the public keys. */
  grantFirstKeys(fn: LambdaFunction): void {
    this.grantCredentials(fn, this.credentials(['PutItem'], [keys.apiKey, keys.keyring]));
  }

  /** Lets the fan-out turn changes into events and deliveries. */
  grantFanOut(fn: LambdaFunction): void {
    this.grantDomain(
      fn,
      // The fan-out reads routing rows, and the TTL of events whose deliveries are redelivered.
      this.domain(['BatchGetItem'], [keys.routing, keys.event]),
      // The fan-out extends the TTL of events, and records the progress of a recovery job.
      this.domain(['UpdateItem'], [keys.event, keys.job]),
      // Writes the events of changes, and the command that continues a deletion of history.
      this.domain(['PartiQLInsert'], [keys.event, keys.command]),
      // Lambda needs these actions in the role of a mapping's function.
      {
        actions: ['DescribeStream', 'GetRecords', 'GetShardIterator', 'ListStreams'].map((name) => `dynamodb:${name}`),
        resources: [this.domainTable.tableStreamArn ?? ''],
      },
    );
    this.grantDelivery(
      fn,
      this.delivery(['PartiQLInsert', 'PartiQLUpdate'], [keys.webhook]),
      indexPermission(this.deliveryTable, indexes.attention),
      // Redelivers deliveries, marks their hours to be counted again, and ends the failing state of an enabled webhook.
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
      this.domain(['BatchGetItem'], [keys.ownerWebhooks, keys.event]),
      this.domain(['UpdateItem'], [keys.ownerWebhooks]),
      this.domain(['PutItem'], [keys.event]),
    );
    this.grantDelivery(
      fn,
      this.delivery(['GetItem', 'BatchGetItem', 'UpdateItem', 'PartiQLUpdate'], [keys.webhook]),
      this.delivery(['PartiQLInsert'], [keys.attempt]),
    );
    this.setRetention(fn);
  }

  /** Lets a function find due deliveries in the due index, update their rows, and store how far it is. */
  grantDue(fn: LambdaFunction): void {
    this.grantDelivery(
      fn,
      this.delivery(['GetItem', 'UpdateItem'], [keys.dueSweep]),
      this.delivery(['PartiQLUpdate'], [keys.webhook]),
      indexPermission(this.deliveryTable, indexes.due),
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
      this.domain(['GetItem', 'Query'], [keys.ownerWebhooks]),
      this.domain(['BatchGetItem', 'UpdateItem'], [keys.event]),
    );
    this.grantDelivery(
      fn,
      this.delivery(['Query'], [keys.accountIds, keys.webhook]),
      this.delivery(['GetItem'], [keys.rollUp]),
      this.delivery(['UpdateItem'], [keys.rollUp, keys.webhook]),
      this.delivery(['PartiQLUpdate'], [keys.webhook]),
      indexPermission(this.deliveryTable, indexes.due),
      indexPermission(this.deliveryTable, indexes.attention),
    );
    this.setRetention(fn);
  }

  /** Sets the retention variable of a function that writes rows with a TTL or decides whether a row has expired. */
  private setRetention(fn: LambdaFunction): void {
    grant(fn, [], { [env.retentionDays]: String(this.stage.retentionDays) });
  }

  private domain(names: readonly string[], leadingKeys: readonly string[]): Permission {
    return rowPermission(this.domainTable, names, leadingKeys);
  }

  private delivery(names: readonly string[], leadingKeys: readonly string[]): Permission {
    return rowPermission(this.deliveryTable, names, leadingKeys);
  }

  private credentials(names: readonly string[], leadingKeys: readonly string[]): Permission {
    return rowPermission(this.credentialsTable, names, leadingKeys);
  }

  private grantDomain(fn: LambdaFunction, ...permissions: readonly Permission[]): void {
    grant(fn, permissions, { [env.domainTable]: this.domainTable.tableName });
    grantCustomerKey(fn, this.stage, 'dynamodb');
  }

  private grantDelivery(fn: LambdaFunction, ...permissions: readonly Permission[]): void {
    grant(fn, permissions, { [env.deliveryTable]: this.deliveryTable.tableName });
    grantCustomerKey(fn, this.stage, 'dynamodb');
  }

  private grantCredentials(fn: LambdaFunction, ...permissions: readonly Permission[]): void {
    grant(fn, permissions, { [env.credentialsTable]: this.credentialsTable.tableName });
    grantCustomerKey(fn, this.stage, 'dynamodb');
  }
}
