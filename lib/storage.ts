import type { Table } from 'aws-cdk-lib/aws-dynamodb';
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';
import { AUDIT_INFIX, indexes, partitions, prefixes } from '../lambdas/adapters/rows/key-names.ts';
import { env } from '../lambdas/runtime/env.ts';
import { grant, grantCustomerKey, type Permission } from './lambda-function.ts';
import type { StageConfig } from './stage-config.ts';
import { deliveryTable, domainTable } from './tables.ts';

// A transaction is allowed as the calls it is made of. An action of PartiQL stands in a statement without leading keys: AWS documents that condition for the plain calls only.
const partiql = { insert: 'dynamodb:PartiQLInsert', update: 'dynamodb:PartiQLUpdate' } as const;

/** Patterns of partition keys: of all rows of a kind, or of the one partition that a kind has. */
const keys = {
  ...(Object.fromEntries(Object.entries(prefixes).map(([kind, prefix]) => [kind, `${prefix}*`])) as Record<
    keyof typeof prefixes,
    string
  >),
  ...partitions,
};

/** An account's audit entries. They are put in transactions with what they tell of: who may put rows of the account (`A#*`) may put them. */
const AUDIT = `${keys.account}${AUDIT_INFIX}*`;

/** What is an account's own, of each mode, and not its audit. */
const OWNED = [`${keys.account}#live`, `${keys.account}#test`];

/** Both tables, and who may do what with which of their rows. The rows' keys: `lambdas/adapters/rows/table-keys.ts`. */
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

  /** Authenticates and counts a request: one conditional write on the key's own row. */
  grantKeyCounting(fn: LambdaFunction): void {
    this.grantDelivery(fn, this.delivery(['UpdateItem'], [keys.apiKey]));
  }

  grantTasks(fn: LambdaFunction): void {
    this.grantDomain(
      fn,
      this.domain(['GetItem', 'BatchGetItem', 'PutItem'], [keys.task]),
      this.index(this.domainTable, indexes.list),
      this.index(this.domainTable, indexes.reference),
    );
  }

  /** Webhooks with who wants what, in transactions; the public half of the key material, which seals and opens nothing. */
  grantWebhooks(fn: LambdaFunction): void {
    this.grantDomain(
      fn,
      this.domain(['GetItem', 'BatchGetItem', 'Query', 'PutItem'], [keys.account]),
      this.domain(['UpdateItem'], [keys.account, keys.routing]),
    );
    this.grantPublicKeys(fn);
    this.nameRetention(fn);
  }

  /** What was first answered under an `Idempotency-Key`, of webhooks. */
  grantFirstAnswers(fn: LambdaFunction): void {
    this.grantDomain(fn, this.domain(['GetItem', 'PutItem'], [keys.idempotency]));
  }

  /** Ties a webhook to another resource: who wants its types is read to be replaced. */
  grantResourceChanges(fn: LambdaFunction): void {
    this.grantDomain(fn, this.domain(['BatchGetItem'], [keys.routing]));
  }

  /** Events as published, what was sent of them, and what is to be sent again by a command. */
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
    this.nameRetention(fn);
  }

  /** An account's own event types and templates. */
  grantCatalogue(fn: LambdaFunction): void {
    this.grantDomain(
      fn,
      this.domain(['GetItem', 'BatchGetItem', 'Query', 'PutItem', 'DeleteItem'], [keys.account]),
      this.index(this.domainTable, indexes.list),
    );
  }

  /** Jobs, and whether anybody would hear of their results. */
  grantJobs(fn: LambdaFunction): void {
    this.grantDomain(
      fn,
      this.domain(['GetItem', 'PutItem'], [keys.job]),
      this.domain(['BatchGetItem'], [keys.job, keys.routing, keys.account]),
      this.index(this.domainTable, indexes.list),
    );
    this.nameRetention(fn);
  }

  /** What became of a webhook's deliveries, as a list. */
  grantDeliveryListing(fn: LambdaFunction): void {
    this.grantDelivery(fn, this.delivery(['Query'], [keys.webhook]), this.delivery(['BatchGetItem'], [keys.attempt]));
  }

  /** What became of deliveries, and what is to become of them by a command. */
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
    this.nameRetention(fn);
  }

  /** Up to where hours have been counted. */
  grantHours(fn: LambdaFunction): void {
    this.grantDelivery(fn, this.delivery(['GetItem'], [keys.rollUp]));
  }

  /** API keys: made, listed, rotated and revoked. */
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

  /** Accounts, their first keys, the limit and retention that all their keys share, and whether one is empty, to be deleted. */
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
    this.nameRetention(fn);
  }

  /** Who changed what. */
  grantAudit(fn: LambdaFunction): void {
    this.grantDomain(fn, this.domain(['Query'], [AUDIT]));
  }

  grantPublicKeys(fn: LambdaFunction): void {
    this.grantDelivery(fn, this.delivery(['GetItem'], [keys.keyring]));
  }

  /** Puts the operator key's row and the public keys there, once. */
  grantFirstKeys(fn: LambdaFunction): void {
    this.grantDelivery(fn, this.delivery(['PutItem'], [keys.apiKey, keys.keyring]));
  }

  /** Turns changes into events and deliveries. */
  grantFanOut(fn: LambdaFunction): void {
    this.grantDomain(
      fn,
      // Who wants a type; when an event ends that is to be sent again, to put that off.
      this.domain(['BatchGetItem'], [keys.routing, keys.event]),
      // And how far a recovery is.
      this.domain(['UpdateItem'], [keys.event, keys.job]),
      { actions: [partiql.insert], resources: [this.domainTable.tableArn] },
      // What Lambda asks of a mapping's role.
      {
        actions: ['DescribeStream', 'GetRecords', 'GetShardIterator', 'ListStreams'].map((name) => `dynamodb:${name}`),
        resources: [this.domainTable.tableStreamArn ?? ''],
      },
    );
    this.grantDelivery(
      fn,
      { actions: [partiql.insert, partiql.update], resources: [this.deliveryTable.tableArn] },
      this.index(this.deliveryTable, indexes.attention),
      // What somebody wants sent again, and its hour counted; and one who is enabled is not failing any more.
      this.delivery(['BatchGetItem', 'UpdateItem'], [keys.webhook]),
      // What a webhook takes with it when it is deleted with its history.
      this.delivery(['Query'], [keys.webhook]),
      this.delivery(['BatchWriteItem'], [keys.webhook, keys.attempt]),
    );
    this.nameRetention(fn);
  }

  /** Reads what is to be sent, records what came of it, and keeps a webhook's health, to its disabling, with the events that say so. */
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
    this.nameRetention(fn);
  }

  /** Finds what is due. */
  grantDue(fn: LambdaFunction): void {
    this.grantDelivery(
      fn,
      { actions: [partiql.update], resources: [this.deliveryTable.tableArn] },
      this.index(this.deliveryTable, indexes.due),
    );
  }

  /** Reads every webhook's hours, counts them, lets held deliveries go on, and events live as long as something is owed of them; keeps the stream from being silent. */
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
    this.nameRetention(fn);
  }

  /** For functions that write rows which age, or know when they have. */
  private nameRetention(fn: LambdaFunction): void {
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
