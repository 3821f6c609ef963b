import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { indexes } from '../lambdas/adapters/rows/key-names.ts';
import { indexPermission, keys } from './row-permissions.ts';
import type { Storage } from './storage.ts';

/** Lets the fan-out turn changes into events and deliveries. */
export const grantFanOut = (storage: Storage, fn: LambdaFunction): void => {
  storage.grantDomain(
    fn,
    // The fan-out reads routing rows, and the TTL of events whose deliveries are redelivered.
    storage.domain(['BatchGetItem'], [keys.routing, keys.event]),
    // The fan-out extends the TTL of events, and records the progress of a recovery job.
    storage.domain(['UpdateItem'], [keys.event, keys.job]),
    // Marks a command as carried out, and reads the mark of a command that was submitted again.
    storage.domain(['UpdateItem', 'GetItem'], [keys.command]),
    // Writes the events of changes, and the command that continues a deletion of history.
    storage.domain(['PartiQLInsert'], [keys.event, keys.command]),
    // Finds the webhooks of an account whose deliveries hold what is erased with an event's payload.
    storage.domain(['Query'], [keys.ownerWebhooks]),
    // Erases the tasks of a deleted account.
    storage.domain(['BatchWriteItem'], [keys.task]),
    indexPermission(storage.domainTable, indexes.list),
    // Lambda needs these actions in the role of a mapping's function.
    {
      actions: ['DescribeStream', 'GetRecords', 'GetShardIterator', 'ListStreams'].map((name) => `dynamodb:${name}`),
      resources: [storage.domainTable.tableStreamArn ?? ''],
    },
  );
  storage.grantDelivery(
    fn,
    storage.delivery(['PartiQLInsert', 'PartiQLUpdate'], [keys.webhook, keys.attempt]),
    indexPermission(storage.deliveryTable, indexes.attention),
    // Redelivers deliveries, marks their hours to be counted again, and ends the failing state of an enabled webhook.
    storage.delivery(['BatchGetItem', 'UpdateItem'], [keys.webhook]),
    // The fan-out finds and deletes the history of a webhook that is deleted together with its history.
    storage.delivery(['Query'], [keys.webhook]),
    storage.delivery(['BatchWriteItem'], [keys.webhook, keys.attempt]),
  );
  storage.setRetention(fn);
};

/** Lets deliver read deliveries, record results, change the health of webhooks, disable them and emit events. */
export const grantDeliver = (storage: Storage, fn: LambdaFunction): void => {
  storage.grantDomain(
    fn,
    storage.domain(['BatchGetItem'], [keys.ownerWebhooks, keys.event, keys.accountDeliveries]),
    // The private keys of accounts are sealed, and only deliver can read the keyring that opens them.
    storage.domain(['GetItem'], [keys.signingKeys]),
    storage.domain(['UpdateItem'], [keys.ownerWebhooks]),
    storage.domain(['PutItem'], [keys.event]),
  );
  storage.grantDelivery(
    fn,
    storage.delivery(['GetItem', 'BatchGetItem', 'UpdateItem', 'PartiQLUpdate'], [keys.webhook]),
    storage.delivery(['PartiQLInsert'], [keys.attempt]),
    storage.delivery(['UpdateItem'], [keys.accountDeliveries]),
  );
  storage.setRetention(fn);
};

/** Lets the due function find due deliveries in the due index, update their rows, and store the progress of its sweep. */
export const grantDue = (storage: Storage, fn: LambdaFunction): void => {
  storage.grantDelivery(
    fn,
    storage.delivery(['GetItem', 'UpdateItem'], [keys.dueSweep]),
    storage.delivery(['PartiQLUpdate'], [keys.webhook]),
    indexPermission(storage.deliveryTable, indexes.due),
  );
};

/**
 * Lets the roll-up count the deliveries of every webhook by hour, release or cancel held deliveries, extend the retention
 * of events with unfinished deliveries, find lost changes and fan them out, and write the heartbeat row.
 */
export const grantRollUp = (storage: Storage, fn: LambdaFunction): void => {
  storage.grantDomain(
    fn,
    storage.domain(['PutItem', 'DeleteItem'], [keys.heartbeat]),
    storage.domain(['GetItem', 'Query'], [keys.ownerWebhooks]),
    storage.domain(['BatchGetItem', 'UpdateItem'], [keys.event]),
    // Finds lost changes: compares tasks, templates and jobs with their events, and events with their deliveries.
    storage.domain(['BatchGetItem'], [keys.task, keys.catalogue, keys.job, keys.routing]),
    storage.domain(['Query', 'PartiQLInsert'], [keys.event]),
    // Submits lost commands again.
    storage.domain(['Query', 'UpdateItem'], [keys.command]),
    indexPermission(storage.domainTable, indexes.changes),
    indexPermission(storage.domainTable, indexes.list),
  );
  storage.grantDelivery(
    fn,
    storage.delivery(['BatchGetItem', 'PartiQLInsert'], [keys.webhook]),
    storage.delivery(['Query'], [keys.accountIds, keys.webhook]),
    storage.delivery(['GetItem'], [keys.rollUp]),
    storage.delivery(['UpdateItem'], [keys.rollUp, keys.webhook]),
    storage.delivery(['PartiQLUpdate'], [keys.webhook]),
    indexPermission(storage.deliveryTable, indexes.due),
    indexPermission(storage.deliveryTable, indexes.attention),
  );
  storage.setRetention(fn);
};
