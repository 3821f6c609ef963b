import {
  type AttributeValue,
  ConditionalCheckFailedException,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
} from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import { mayUse } from '../../domain/foundation/customer.ts';
import type { Page, Position } from '../../domain/foundation/page.ts';
import { SECOND_MS } from '../../domain/foundation/time.ts';
import { type StoredTask, storedTaskSchema, type TaskStatus, taskStatuses } from '../../domain/tasks/task.ts';
import { batchGet } from '../aws/batch-get.ts';
import { newestFirst, type PageRequest, queryPositions, queryStatuses } from '../aws/status-list.ts';
import { isExpired } from '../rows/row.ts';
import { indexes, taskKey, taskListPk, taskReferencePk } from '../rows/table-keys.ts';
import { taskToRow } from '../rows/task-row.ts';
import { createTaskEraser } from './erase-task.ts';

export interface TaskFilter {
  readonly status?: TaskStatus | undefined;
  readonly external_reference?: string | undefined;
  /** Lists only tasks that this customer of the account may use; null = all. */
  readonly customer: string | null;
}

const rowToTask = (row: Record<string, AttributeValue>): StoredTask => storedTaskSchema.parse(unmarshall(row));

/** Returns the task of a row, or null if the row has expired, because DynamoDB deletes expired rows with a delay. */
const unexpiredTask = (row: Readonly<Record<string, unknown>>, nowMs: number): StoredTask | null =>
  isExpired(row, nowMs) ? null : storedTaskSchema.parse(row);

/** Writes a task if the condition holds. Returns null on success, or the stored task if the condition failed. */
const putIf = async (
  client: DynamoDBClient,
  table: string,
  task: StoredTask,
  condition: string,
  values: Record<string, AttributeValue>,
  names?: Record<string, string>,
): Promise<StoredTask | null> => {
  try {
    await client.send(
      new PutItemCommand({
        TableName: table,
        Item: taskToRow(task),
        ConditionExpression: condition,
        ExpressionAttributeValues: values,
        ...(names ? { ExpressionAttributeNames: names } : {}),
        ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
      }),
    );
    return null;
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException && error.Item) return rowToTask(error.Item);
    throw error;
  }
};

/**
 * Stores tasks in the domain table. `add` and `replace` return null on success, or the stored task if another write was
 * first.
 */
export const createTasksTable = (client: DynamoDBClient, table: string, retentionDays: number) => {
  const queryReference = (owner: string, reference: string, page: PageRequest): Promise<Position[]> => {
    const pk = taskReferencePk(owner, reference);
    return queryPositions(client, table, { index: indexes.reference, attribute: 'ref', pk, prefix: '' }, page);
  };

  const queryInStatuses = (owner: string, statuses: readonly TaskStatus[], page: PageRequest): Promise<Position[]> =>
    queryStatuses(client, table, (shard) => taskListPk(owner, shard), statuses, page);

  return {
    // A row that has expired may be replaced, because DynamoDB deletes it with a delay.
    add: (task: StoredTask, nowMs: number) =>
      putIf(
        client,
        table,
        task,
        'attribute_not_exists(pk) OR #ttl <= :now',
        { ':now': { N: String(Math.floor(nowMs / SECOND_MS)) } },
        { '#ttl': 'ttl' },
      ),

    replace: (task: StoredTask, version: number) =>
      putIf(client, table, task, 'version = :version', { ':version': { N: String(version) } }),

    get: async (owner: string, id: string, nowMs: number): Promise<StoredTask | null> => {
      const { Item } = await client.send(
        new GetItemCommand({ TableName: table, Key: marshall(taskKey(id)), ConsistentRead: true }),
      );
      const task = Item && unexpiredTask(unmarshall(Item), nowMs);
      return task?.owner === owner ? task : null;
    },

    erase: createTaskEraser(client, table, retentionDays),

    list: async (
      owner: string,
      filter: TaskFilter,
      { nowMs, ...page }: PageRequest & { readonly nowMs: number },
    ): Promise<Page<StoredTask>> => {
      const { status, external_reference, customer } = filter;
      const unsorted = external_reference
        ? await queryReference(owner, external_reference, page)
        : await queryInStatuses(owner, status ? [status] : taskStatuses, page);
      const positions = unsorted.toSorted(newestFirst);
      const pagePositions = positions.slice(0, page.limit);
      const rows = await batchGet(
        client,
        pagePositions.map(({ id }) => ({ table, key: taskKey(id), isConsistent: true })),
      );
      const tasks = pagePositions.flatMap(({ id }) => {
        const row = rows(table, taskKey(id));
        return row ? (unexpiredTask(row, nowMs) ?? []) : [];
      });
      return {
        // Filters by the status of the row, because the list index lags behind the row and the reference index holds no
        // status.
        items: tasks.filter(
          (task) => (status === undefined || task.status === status) && mayUse(customer, task.customer),
        ),
        next: positions.length > page.limit ? (pagePositions.at(-1) ?? null) : null,
      };
    },
  };
};
