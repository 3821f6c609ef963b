import type { StoredEvent } from '../events/event.ts';
import { type Actor, auditEntry, type StoredAuditEntry } from '../foundation/audit.ts';
import { notFound, PassPostError } from '../foundation/errors.ts';
import type { RequestOrigin } from '../foundation/origin.ts';
import { isSettled, type StoredTask } from './task.ts';
import { taskEvents } from './task-event.ts';

/** What the erasure of a task writes in one transaction. */
export interface TaskErasure {
  /** The task without its personal data. */
  readonly task: StoredTask;
  /** The task's events without their payloads, one for each change of the task. */
  readonly events: readonly StoredEvent[];
  readonly entry: StoredAuditEntry;
  readonly call: RequestOrigin;
}

export interface ErasingTasks {
  get(owner: string, id: string, nowMs: number): Promise<StoredTask | null>;
  /**
   * Writes an erasure, and for each event the command that erases what the event has left in other rows. Writes an event
   * that the fan-out has not written yet, so that the fan-out cannot write it with its payload. Returns false if another
   * write changed the task since it was read.
   */
  erase(erasure: TaskErasure, nowMs: number): Promise<boolean>;
}

export interface ErasureRequest {
  readonly owner: string;
  readonly id: string;
  readonly by: Actor;
  readonly requestId: string;
  readonly traceId?: string | undefined;
  readonly nowMs: number;
}

/** Returns the marks of a task's moves without the hashes of their content, which held personal data. */
const marksWithoutContent = ({ moved_by_key }: StoredTask): StoredTask['moved_by_key'] =>
  moved_by_key && Object.fromEntries(Object.entries(moved_by_key).map(([status, { key }]) => [status, { key }]));

/** Returns the task without its personal data. */
const withoutPersonalData = (
  task: StoredTask,
  erasedAt: string,
  { requestId, traceId }: ErasureRequest,
): StoredTask => ({
  ...task,
  item: 'erased',
  pickup: { ...task.pickup, address: null },
  dropoff: { ...task.dropoff, address: null },
  recipient: null,
  carrier: null,
  cancel_reason: null,
  personal_data_erased_at: erasedAt,
  content_hash: null,
  moved_by_key: marksWithoutContent(task),
  written_by: requestId,
  trace_id: traceId,
});

/**
 * Returns the events of all changes of a task, without their payloads. Their ids are derived from the task, so that they
 * are the events that the fan-out writes or has written.
 */
const erasedEventsOf = (task: StoredTask, erasedAt: string): StoredEvent[] =>
  taskEvents(task).map((event) => ({ ...event, data: 'null', call: undefined, payload_deleted_at: erasedAt }));

/**
 * Erases the personal data of a settled task and of its events. Does nothing if it was erased before. Throws `not_found`,
 * or `conflict` if the task is not settled.
 */
export const eraseTask = async (request: ErasureRequest, tasks: ErasingTasks): Promise<void> => {
  const { owner, id, by, requestId, traceId, nowMs } = request;
  const erasedAt = new Date(nowMs).toISOString();
  for (let present = await tasks.get(owner, id, nowMs); ; present = await tasks.get(owner, id, nowMs)) {
    if (present === null) throw notFound('task');
    if (present.personal_data_erased_at !== null) return;
    if (!isSettled(present.status)) {
      const message = `A task that is ${present.status} needs its data: complete or cancel the task first.`;
      throw new PassPostError('conflict', message, { errors: [{ path: 'status', code: 'not_settled', message }] });
    }
    const erasure: TaskErasure = {
      task: withoutPersonalData(present, erasedAt, request),
      events: erasedEventsOf(present, erasedAt),
      entry: auditEntry(by, 'task.personal_data_erased', id, nowMs),
      call: { request_id: requestId, trace_id: traceId },
    };
    if (await tasks.erase(erasure, nowMs)) return;
  }
};
