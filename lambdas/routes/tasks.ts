import * as operations from '../contract/tasks.ts';
import { invalid, notFound } from '../domain/foundation/errors.ts';
import { ownerKey } from '../domain/foundation/owner.ts';
import { type Page, type Position, pageToBody } from '../domain/foundation/page.ts';
import { createTask, type NewTasks } from '../domain/tasks/create-task.ts';
import { type MoveDetails, type MovingTasks, moveTask } from '../domain/tasks/move-task.ts';
import { type StoredTask, showTask, type TaskMove, type TaskStatus } from '../domain/tasks/task.ts';
import { type ApiRequest, type ApiResponse, type Route, route } from '../runtime/operation.ts';

export interface Tasks extends NewTasks, MovingTasks {
  list(
    owner: string,
    filter: { readonly status?: TaskStatus | undefined; readonly external_reference?: string | undefined },
    page: { readonly limit: number; readonly after: Position | null },
  ): Promise<Page<StoredTask>>;
}

/** The calls about tasks. */
export const taskRoutes = (tasks: Tasks): Route[] => {
  const take = async (
    request: Pick<ApiRequest, 'owner' | 'params' | 'requestId' | 'traceId' | 'nowMs'>,
    move: TaskMove,
    details: MoveDetails = {},
  ): Promise<ApiResponse> => {
    const which = { owner: ownerKey(request.owner), id: request.params.id ?? '' };
    return { status: 200, body: showTask(await moveTask(which, move, details, tasks, request, request.nowMs)) };
  };

  return [
    route(operations.createTask, async (request) => {
      const { owner, body: content } = request;
      const { task, isRepeat } = await createTask({ ...request, owner: ownerKey(owner), content }, tasks);
      const headers = {
        location: `${operations.createTask.path}/${task.id}`,
        ...(isRepeat ? { 'idempotency-replayed': 'true' } : {}),
      };
      return { status: 201, body: showTask(task), headers };
    }),

    route(operations.listTasks, async ({ owner, query: { limit, cursor, ...filter } }) => {
      // Derived ids do not tell their time, so that the cursor must.
      if (cursor?.at === '') throw invalid('cursor', 'invalid', 'is not a cursor of this list');
      const page = await tasks.list(ownerKey(owner), filter, { limit, after: cursor ?? null });
      return { status: 200, body: pageToBody(page, showTask) };
    }),

    route(operations.getTask, async ({ owner, params }) => {
      const task = await tasks.get(ownerKey(owner), params.id ?? '');
      if (!task) throw notFound('task');
      return { status: 200, body: showTask(task) };
    }),

    route(operations.acceptTask, (request) => take(request, 'accept', { carrier: request.body.carrier ?? null })),
    route(operations.pickUpTask, (request) => take(request, 'pick-up')),
    route(operations.deliverTask, (request) => take(request, 'deliver')),
    route(operations.completeTask, (request) => take(request, 'complete')),
    route(operations.cancelTask, (request) => take(request, 'cancel', { cancel_reason: request.body.reason ?? null })),
  ];
};
