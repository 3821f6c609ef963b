import type { DynamoDBClient, TransactWriteItem } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import { erasePayloadCommand } from '../../domain/deliveries/command.ts';
import type { StoredEvent } from '../../domain/events/event.ts';
import type { ErasingTasks } from '../../domain/tasks/erase-task.ts';
import { changeTogether } from '../aws/transact.ts';
import { putAuditEntry } from '../rows/audit-row.ts';
import { putCommand } from '../rows/command-row.ts';
import { eventToRow } from '../rows/event-row.ts';
import { rowOf } from '../rows/row.ts';
import { eventKey } from '../rows/table-keys.ts';
import { taskToRow } from '../rows/task-row.ts';

/** The attributes of an event's row that the erasure overwrites; it adds the others only where no row exists. */
const OVERWRITTEN: ReadonlySet<string> = new Set(['data']);

/**
 * Returns the transaction item that erases the payload in an event's row. Writes the row if the fan-out has not written
 * it yet: the fan-out then finds the row and leaves it as it is.
 */
const eraseEvent = (table: string, event: StoredEvent, retentionDays: number): TransactWriteItem => {
  const { pk: _pk, sk: _sk, ...attributes } = rowOf(eventToRow(event, retentionDays));
  const names = Object.keys(attributes);
  const assignments = names.map((name) =>
    OVERWRITTEN.has(name) ? `#${name} = :${name}` : `#${name} = if_not_exists(#${name}, :${name})`,
  );
  return {
    Update: {
      TableName: table,
      Key: marshall(eventKey(event.owner, event.id)),
      UpdateExpression: `SET ${assignments.join(', ')} REMOVE #meta`,
      ExpressionAttributeNames: { '#meta': 'meta', ...Object.fromEntries(names.map((name) => [`#${name}`, name])) },
      ExpressionAttributeValues: marshall(Object.fromEntries(names.map((name) => [`:${name}`, attributes[name]]))),
    },
  };
};

/** Creates the function that writes the erasure of a task's personal data in one transaction. */
export const createTaskEraser =
  (client: DynamoDBClient, table: string, retentionDays: number): ErasingTasks['erase'] =>
  ({ task, events, entry, call }, nowMs) =>
    changeTogether(client, [
      {
        Put: {
          TableName: table,
          Item: taskToRow(task),
          ConditionExpression: '#version = :version AND attribute_not_exists(personal_data_erased_at)',
          ExpressionAttributeNames: { '#version': 'version' },
          ExpressionAttributeValues: marshall({ ':version': task.version }),
        },
      },
      ...events.map((event) => eraseEvent(table, event, retentionDays)),
      ...events.map((event) => putCommand(table, erasePayloadCommand(event, call), nowMs)),
      putAuditEntry(table, entry),
    ]);
