import * as operations from '../contract/tasks.ts';
import { invalid, notFound } from '../domain/foundation/errors.ts';
import { type Page, type Position, pageToBody } from '../domain/foundation/page.ts';
import { createTask, type NewTasks } from '../domain/tasks/create-task.ts';
import { type ErasingTasks, eraseTask } from '../domain/tasks/erase-task.ts';
import { type MoveDetails, type MovingTasks, moveTask } from '../domain/tasks/move-task.ts';
import { type StoredTask, showTask, type TaskMove, type TaskStatus, taskHistory } from '../domain/tasks/task.ts';
import { type ApiRequest, type ApiResponse, type Route, replayHeaders, route } from '../runtime/operation.ts';

export interface Tasks extends NewTasks, MovingTasks, ErasingTasks {
  list(
    owner: string,
    filter: {
      readonly status?: TaskStatus | undefined;
      readonly external_reference?: string | undefined;
      readonly customer: string | null;
    },
    page: { readonly limit: number; readonly after: Position | null; readonly nowMs: number },
  ): Promise<Page<StoredTask>>;
}

/** Returns the routes of the calls about tasks. */
export const taskRoutes = (tasks: Tasks): Route[] => {
  const perform = async (
    request: Pick<
      ApiRequest<typeof operations.pickUpTask>,
      'owner' | 'id' | 'by' | 'requestId' | 'traceId' | 'idempotencyKey' | 'contentHash' | 'taskRetentionDays' | 'nowMs'
    >,
    move: TaskMove,
    details: MoveDetails = {},
  ): Promise<ApiResponse> => {
    const { task, isRepeat } = await moveTask(request, move, details, tasks, request, request.nowMs);
    return { status: 200, body: showTask(task), headers: replayHeaders(isRepeat) };
  };

  return [
    route(operations.createTask, async (request) => {
      const { task, isRepeat } = await createTask({ ...request, content: request.body }, tasks);
      const headers = { location: `${operations.createTask.path}/${task.id}`, ...replayHeaders(isRepeat) };
      return { status: 201, body: showTask(task), headers };
    }),

    route(
      operations.listTasks,
      async ({ owner, customer, query: { limit, cursor, ...filter }, cursorScope, nowMs }) => {
        // Refuses a cursor without a time. Tasks are listed by time, and a task id that is derived (for example from an
        // Idempotency-Key) contains no time, so the cursor itself must contain the time.
        if (cursor?.at === '') throw invalid('cursor', 'invalid', 'is not a cursor of this list');
        const page = await tasks.list(owner, { ...filter, customer }, { limit, after: cursor ?? null, nowMs });
        return { status: 200, body: pageToBody(page, showTask, cursorScope) };
      },
    ),

    route(operations.getTask, async ({ owner, id, query: { include }, nowMs }) => {
      const task = await tasks.get(owner, id, nowMs);
      if (!task) throw notFound('task');
      return { status: 200, body: { ...showTask(task), ...(include === 'history' && { history: taskHistory(task) }) } };
    }),

    route(operations.acceptTask, (request) => perform(request, 'accept', { carrier: request.body.carrier ?? null })),
    route(operations.pickUpTask, (request) => perform(request, 'pick-up')),
    route(operations.deliverTask, (request) => perform(request, 'deliver')),
    route(operations.completeTask, (request) => perform(request, 'complete')),
    route(operations.cancelTask, (request) =>
      perform(request, 'cancel', { cancel_reason: request.body.reason ?? null }),
    ),

    route(operations.erasePersonalData, async (request) => {
      await eraseTask(request, tasks);
      return { status: 204 };
    }),
  ];
};
