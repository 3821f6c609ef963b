import { notFound, PassPostError } from '../foundation/errors.ts';
import { isOwnWrite } from '../foundation/own-write.ts';
import { type StoredTask, type TaskMove, type TaskStatus, taskMoves } from './task.ts';

/** What a move may bring along. */
export interface MoveDetails {
  readonly carrier?: StoredTask['carrier'];
  readonly cancel_reason?: string | null;
}

/** The request that moves, and the trace it belongs to. */
export interface Writer {
  readonly requestId: string;
  readonly traceId?: string | undefined;
}

export interface MovingTasks {
  get(owner: string, id: string): Promise<StoredTask | null>;
  /** Replaces the task if it still has the version, or answers what stands there. */
  replace(task: StoredTask, version: number): Promise<StoredTask | null>;
}

/** The task after the move; a move that its status forbids is refused, naming both states. */
export const moved = (
  task: StoredTask,
  move: TaskMove,
  details: MoveDetails,
  by: Writer,
  nowMs: number,
): StoredTask => {
  const { from, to }: { from: readonly TaskStatus[]; to: TaskStatus } = taskMoves[move];
  if (!from.includes(task.status)) {
    const message = `A task that is ${task.status} cannot become ${to}.`;
    throw new PassPostError('conflict', message, { errors: [{ path: 'status', code: 'illegal_move', message }] });
  }
  // Never before the last change, however the clocks of two machines differ.
  const updated_at = new Date(Math.max(nowMs, Date.parse(task.updated_at))).toISOString();
  return {
    ...task,
    ...details,
    status: to,
    version: task.version + 1,
    updated_at,
    [`${to}_at`]: updated_at,
    written_by: by.requestId,
    trace_id: by.traceId,
  };
};

/** Takes a task one step on. Of several at once, one is taken and the others meet the state it led to. */
export const moveTask = async (
  { owner, id }: { readonly owner: string; readonly id: string },
  move: TaskMove,
  details: MoveDetails,
  tasks: MovingTasks,
  by: Writer,
  nowMs: number,
): Promise<StoredTask> => {
  for (let present = await tasks.get(owner, id); present !== null; ) {
    const next = moved(present, move, details, by, nowMs);
    const stands = await tasks.replace(next, present.version);
    if (stands === null || (isOwnWrite(stands, by.requestId) && stands.version === next.version)) return next;
    present = stands;
  }
  throw notFound('task');
};
