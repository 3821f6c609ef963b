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
 * The three tables, and the grants of the API's functions on their rows: each method lets one function do one kind of
 * work. `engine-grants.ts` has the grants of the functions that deliver. `lambdas/adapters/rows/table-keys.ts` has the map
 * of the rows.
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

  /**
   * Lets a function find out whether an API key exists, and count a request by one conditional write on the key's row.
   */
  grantKeyCounting(fn: LambdaFunction): void {
    this.grantCredentials(fn, this.credentials(['GetItem', 'UpdateItem'], [keys.apiKey]));
  }

  /** Lets a function create, read, list and move tasks, and erase the personal data of a task and of its events. */
  grantTasks(fn: LambdaFunction): void {
    this.grantDomain(
      fn,
      this.domain(['GetItem', 'BatchGetItem'], [keys.task]),
      this.domain(['PutItem'], [keys.task, keys.command, keys.audit]),
      this.domain(['UpdateItem'], [keys.event]),
      indexPermission(this.domainTable, indexes.list),
      indexPermission(this.domainTable, indexes.reference),
    );
    this.setRetention(fn);
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
      // Deletes the row of a webhook that never had a delivery, and routing rows without webhooks.
      this.domain(['DeleteItem'], [keys.ownerWebhooks, keys.routing]),
      this.domain(['BatchGetItem'], [keys.routing]),
    );
    this.grantDelivery(fn, this.delivery(['Query'], [keys.webhook]));
    this.grantPublicKeys(fn);
    this.setRetention(fn);
  }

  /** Lets a function create, rotate and list the signing keys of accounts. It cannot open the private keys. */
  grantSigningKeys(fn: LambdaFunction): void {
    this.grantNewSigningKeys(fn);
    this.grantPublishedKeys(fn);
    this.grantDomain(fn, this.domain(['PutItem'], [keys.audit]));
  }

  /** Lets a function create the first signing key of an account. It cannot open the private key. */
  grantNewSigningKeys(fn: LambdaFunction): void {
    this.grantDomain(fn, this.domain(['GetItem', 'PutItem'], [keys.signingKeys]));
  }

  /** Lets a function list the signing keys of accounts, to publish their public halves. */
  grantPublishedKeys(fn: LambdaFunction): void {
    this.grantDomain(fn, this.domain(['Query'], [keys.signingKeys]));
  }

  /** Lets a function find out whether a template exists. */
  grantTemplateLookup(fn: LambdaFunction): void {
    this.grantDomain(fn, this.domain(['GetItem'], [keys.catalogue]));
  }

  /** Lets a function store and read the first response to a request with an `Idempotency-Key`. */
  grantFirstAnswers(fn: LambdaFunction): void {
    this.grantDomain(fn, this.domain(['GetItem', 'PutItem'], [keys.idempotency]));
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
    // Finds the account for which an operator publishes.
    this.grantCredentials(fn, this.credentials(['GetItem'], [keys.accounts]));
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
   * Lets a function create, read, complete and delete jobs, and find out whether any webhook would receive a job's result as an
   * event.
   */
  grantJobs(fn: LambdaFunction): void {
    this.grantDomain(
      fn,
      this.domain(['GetItem'], [keys.job]),
      this.domain(['PutItem'], [keys.job, keys.audit]),
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
      this.domain(['PutItem'], [keys.audit, keys.accountDeliveries, keys.command]),
      this.domain(['Query'], [keys.ownerWebhooks, keys.catalogue]),
      this.domain(['DeleteItem'], [keys.webhookCount, keys.accountDeliveries, keys.signingKeys]),
      this.domain(['BatchGetItem'], [keys.job, keys.task]),
      indexPermission(this.domainTable, indexes.list),
    );
    this.grantDelivery(
      fn,
      this.delivery(['PutItem', 'DeleteItem'], [keys.accountIds]),
      this.delivery(['DeleteItem'], [keys.accountDeliveries]),
    );
    this.grantCredentials(
      fn,
      this.credentials(['GetItem'], [keys.accounts, keys.apiKeyList, keys.idempotency]),
      this.credentials(['PutItem'], [keys.accounts, keys.apiKey, keys.apiKeyList, keys.idempotency]),
      this.credentials(['UpdateItem'], [keys.accounts, keys.apiKey, keys.apiKeyList]),
      this.credentials(['Query', 'DeleteItem'], [keys.accounts, keys.apiKeyList]),
    );
    this.setRetention(fn);
  }

  /** Lets a function that may change accounts and API keys also change operators. */
  grantOperators(fn: LambdaFunction): void {
    this.grantCredentials(fn, this.credentials(['GetItem', 'PutItem', 'UpdateItem', 'Query'], [keys.operators]));
  }

  /** Lets a function read the audit entries of an account. */
  grantAudit(fn: LambdaFunction): void {
    this.grantDomain(fn, this.domain(['Query'], [keys.audit]));
  }

  /** Lets a function read the public key to which secrets are sealed. */
  grantPublicKeys(fn: LambdaFunction): void {
    this.grantCredentials(fn, this.credentials(['GetItem'], [keys.keyring]));
  }

  /** Lets a function write the rows of the first operator and its API keys, and the row of the public keys. */
  grantFirstKeys(fn: LambdaFunction): void {
    this.grantCredentials(
      fn,
      this.credentials(['PutItem'], [keys.apiKey, keys.keyring, keys.operators]),
      this.credentials(['UpdateItem'], [keys.apiKey, keys.operators]),
      this.credentials(['GetItem'], [keys.operators]),
    );
  }

  /** Sets the retention variable of a function that writes rows with a TTL or decides whether a row has expired. */
  setRetention(fn: LambdaFunction): void {
    grant(fn, [], { [env.retentionDays]: String(this.stage.retentionDays) });
  }

  /** Returns the permission for these DynamoDB actions on rows of the domain table with these leading keys. */
  domain(names: readonly string[], leadingKeys: readonly string[]): Permission {
    return rowPermission(this.domainTable, names, leadingKeys);
  }

  /** Returns the permission for these DynamoDB actions on rows of the delivery table with these leading keys. */
  delivery(names: readonly string[], leadingKeys: readonly string[]): Permission {
    return rowPermission(this.deliveryTable, names, leadingKeys);
  }

  private credentials(names: readonly string[], leadingKeys: readonly string[]): Permission {
    return rowPermission(this.credentialsTable, names, leadingKeys);
  }

  /** Grants these permissions on the domain table, and sets the variable with its name. */
  grantDomain(fn: LambdaFunction, ...permissions: readonly Permission[]): void {
    grant(fn, permissions, { [env.domainTable]: this.domainTable.tableName });
    grantCustomerKey(fn, this.stage, 'dynamodb');
  }

  /** Grants these permissions on the delivery table, and sets the variable with its name. */
  grantDelivery(fn: LambdaFunction, ...permissions: readonly Permission[]): void {
    grant(fn, permissions, { [env.deliveryTable]: this.deliveryTable.tableName });
    grantCustomerKey(fn, this.stage, 'dynamodb');
  }

  private grantCredentials(fn: LambdaFunction, ...permissions: readonly Permission[]): void {
    grant(fn, permissions, { [env.credentialsTable]: this.credentialsTable.tableName });
    grantCustomerKey(fn, this.stage, 'dynamodb');
  }
}
