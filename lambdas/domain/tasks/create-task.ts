import type { Actor } from '../foundation/audit.ts';
import { customerOfNew } from '../foundation/customer.ts';
import { PassPostError } from '../foundation/errors.ts';
import { deriveId, drawId } from '../foundation/id.ts';
import { isOwnWrite } from '../foundation/own-write.ts';
import { newTask, type StoredTask, type TaskContent, taskAtCreation } from './task.ts';

export interface TaskCreation {
  readonly owner: string;
  /** The customer of the account to whom the caller's key is bound. */
  readonly customer: string | null;
  readonly content: TaskContent & { readonly owner: string | null };
  readonly contentHash: string;
  readonly idempotencyKey: string | null;
  readonly by: Actor;
  readonly requestId: string;
  readonly retentionDays: number | undefined;
  readonly traceId?: string | undefined;
  readonly nowMs: number;
}

export interface NewTasks {
  /** Adds the task. Returns the stored task if the id exists already and has not expired, otherwise `null`. */
  add(task: StoredTask, nowMs: number): Promise<StoredTask | null>;
}

/**
 * Creates a task with one write. The id is derived from the Idempotency-Key if there is one, so a repeat finds the
 * first task. Throws `idempotency_mismatch` if the key was used for another task.
 */
export const createTask = async (
  creation: TaskCreation,
  tasks: NewTasks,
): Promise<{ task: StoredTask; isRepeat: boolean }> => {
  const { owner, idempotencyKey, by, requestId, traceId, retentionDays, nowMs } = creation;
  const id = idempotencyKey === null ? drawId('tsk', nowMs) : deriveId('tsk', owner, '/tasks', idempotencyKey);
  const content_hash = idempotencyKey === null ? null : creation.contentHash;
  const { owner: named, ...content } = creation.content;
  const origin = {
    owner,
    customer: customerOfNew(creation.customer, named, 'owner'),
    content_hash,
    retention_days: retentionDays,
    moved_by: { created: by.keyId },
    written_by: requestId,
    trace_id: traceId,
  };
  const task = newTask(id, content, origin, nowMs);
  const present = await tasks.add(task, nowMs);
  if (present === null) return { task, isRepeat: false };
  // The content of a task whose personal data was erased can no longer be compared.
  if (present.personal_data_erased_at === null && present.content_hash !== content_hash) {
    throw new PassPostError('idempotency_mismatch', 'This Idempotency-Key was used for another task.');
  }
  return { task: taskAtCreation(present), isRepeat: !isOwnWrite(present, requestId) };
};
