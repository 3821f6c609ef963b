import type { Actor } from '../foundation/audit.ts';
import { notFound, PassPostError } from '../foundation/errors.ts';
import { type IdempotentRequest, isRepeatOf, markOf } from '../foundation/idempotency.ts';
import { isOwnWrite } from '../foundation/own-write.ts';
import { ttlSeconds } from '../foundation/time.ts';
import { isSettled, type StoredTask, type TaskMove, type TaskStatus, taskAfterMove, taskMoves } from './task.ts';

/** Details that a move may add to the task: the carrier, or the reason of a cancellation. */
export interface MoveDetails {
  readonly carrier?: StoredTask['carrier'];
  readonly cancel_reason?: string | null;
}

/** The request that makes a move, its caller, its Idempotency-Key and its X-Ray trace id. */
export interface Writer extends IdempotentRequest {
  readonly by: Actor;
  readonly requestId: string;
  readonly traceId?: string | undefined;
  /** The account's `task_retention_days`; undefined if it stores settled tasks for ever. */
  readonly taskRetentionDays?: number | undefined;
}

export interface MovingTasks {
  get(owner: string, id: string, nowMs: number): Promise<StoredTask | null>;
  /** Replaces the stored task if it still has `version`, and returns `null`; otherwise returns the stored task. */
  replace(task: StoredTask, version: number): Promise<StoredTask | null>;
}

/** Returns the task after the move. Throws `conflict` if the task's status does not allow the move. */
export const moved = (
  task: StoredTask,
  move: TaskMove,
  details: MoveDetails,
  request: Writer,
  nowMs: number,
): StoredTask => {
  const { from, to }: { from: readonly TaskStatus[]; to: TaskStatus } = taskMoves[move];
  if (!from.includes(task.status)) {
    const message = `A task that is ${task.status} cannot become ${to}.`;
    throw new PassPostError('conflict', message, { errors: [{ path: 'status', code: 'illegal_move', message }] });
  }
  // The clocks of two machines differ: the time of a change is never before the time of the change before it.
  const updated_at = new Date(Math.max(nowMs, Date.parse(task.updated_at))).toISOString();
  const mark = markOf(request);
  const expires = isSettled(to) && request.taskRetentionDays !== undefined;
  return {
    ...task,
    ...details,
    status: to,
    version: task.version + 1,
    updated_at,
    [`${to}_at`]: updated_at,
    ...(expires && { ttl: ttlSeconds(Date.parse(updated_at), request.taskRetentionDays ?? 0) }),
    ...(mark && { moved_by_key: { ...task.moved_by_key, [to]: mark } }),
    moved_by: { ...task.moved_by, [to]: request.by.keyId },
    written_by: request.requestId,
    trace_id: request.traceId,
  };
};

/**
 * Makes a move of a task and returns the task. A repeat of the move under its Idempotency-Key gets the task as the move
 * left it. Of several concurrent moves one wins, and the others are then checked against the new status. Throws
 * `not_found`, `conflict` or `idempotency_mismatch`.
 */
export const moveTask = async (
  { owner, id }: { readonly owner: string; readonly id: string },
  move: TaskMove,
  details: MoveDetails,
  tasks: MovingTasks,
  request: Writer,
  nowMs: number,
): Promise<{ readonly task: StoredTask; readonly isRepeat: boolean }> => {
  const { to } = taskMoves[move];
  for (let present = await tasks.get(owner, id, nowMs); present !== null; ) {
    if (isRepeatOf(present.moved_by_key?.[to], request)) return { task: taskAfterMove(present, to), isRepeat: true };
    const next = moved(present, move, details, request, nowMs);
    const stored = await tasks.replace(next, present.version);
    if (stored === null || (isOwnWrite(stored, request.requestId) && stored.version === next.version))
      return { task: next, isRepeat: false };
    present = stored;
  }
  throw notFound('task');
};
