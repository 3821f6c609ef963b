import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import { shardOf } from '../../domain/foundation/id.ts';
import type { StoredTask } from '../../domain/tasks/task.ts';
import { rowOf } from './row.ts';
import { changesPkOf, SHARDS, taskKey, taskListPk, taskReferencePk } from './table-keys.ts';

/** The `type` of a task's row after the erasure of its personal data. */
export const ERASED = 'erased';

/** Converts a task to its row, with the keys of the indexes that list it. */
export const taskToRow = (task: StoredTask): Record<string, AttributeValue> =>
  marshall(
    rowOf({
      ...task,
      ...taskKey(task.id),
      kind: 'task',
      list_pk: taskListPk(task.owner, shardOf(task.id, SHARDS)),
      list_sk: `${task.status}#${task.created_at}#${task.id}`,
      // The index `list` projects `type`, so the deletion of an account finds the other tasks without reading rows.
      ...(task.personal_data_erased_at === null
        ? { changed_pk: changesPkOf(task.updated_at, task.id) }
        : { type: ERASED }),
      ...(task.external_reference === null
        ? {}
        : {
            ref_pk: taskReferencePk(task.owner, task.external_reference),
            ref_sk: `${task.created_at}#${task.id}`,
          }),
    }),
    { removeUndefinedValues: true },
  );
