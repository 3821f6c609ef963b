import type { StoredEvent } from '../events/event.ts';
import { deriveTimedId } from '../foundation/id.ts';
import { type StoredTask, showTask, taskAfterMove, taskAtCreation, taskEventType, taskStatuses } from './task.ts';

/** Returns the event of a task's last change. The same version of a task always gives the same event. */
export const taskEvent = (task: StoredTask): StoredEvent => ({
  id: deriveTimedId('evt', Date.parse(task.updated_at), task.id, String(task.version)),
  owner: task.owner,
  customer: task.customer,
  origin: 'change',
  type: taskEventType(task.status),
  resource: null,
  data: JSON.stringify({ task: showTask(task) }),
  meta: null,
  publisher_id: null,
  sequence: task.version,
  retention_days: task.retention_days,
  created_at: task.updated_at,
  call: { request_id: task.written_by, trace_id: task.trace_id },
});

/**
 * Returns the events of all changes of a task, oldest first. Only the event of the last change names its API call,
 * because the row stores no other call.
 */
export const taskEvents = (task: StoredTask): StoredEvent[] =>
  taskStatuses
    .filter((status) => task[`${status}_at`] !== null)
    .map((status) => {
      const event = taskEvent(status === 'created' ? taskAtCreation(task) : taskAfterMove(task, status));
      return status === task.status ? event : { ...event, call: undefined };
    });
