import * as z from 'zod';
import { taskContentExample } from '../domain/events/event-samples.ts';
import { pageQuery, pageSchema } from '../domain/foundation/page.ts';
import {
  carrierSchema,
  newTaskSchema,
  type Task,
  taskSchema,
  taskStatuses,
  taskWithHistorySchema,
} from '../domain/tasks/task.ts';
import type { Operation } from '../runtime/operation.ts';

const path = '/api/public/v1/tasks';
const tag = 'tasks';

const created: Task = {
  id: 'tsk_01KA8Z3M9Q4T7V2X5B8D1F6H0J',
  status: 'created',
  owner: null,
  version: 1,
  ...taskContentExample,
  carrier: null,
  cancel_reason: null,
  created_at: '2026-11-16T09:30:00.000Z',
  updated_at: '2026-11-16T09:30:00.000Z',
  accepted_at: null,
  picked_up_at: null,
  delivered_at: null,
  completed_at: null,
  cancelled_at: null,
  personal_data_erased_at: null,
};
const carrier = { name: 'John Doe', phone: '+4791111111' };
const accepted = '2026-11-16T09:41:12.345Z';

export const createTask = {
  id: 'createTask',
  method: 'POST',
  path,
  tag,
  summary: 'Create a delivery task',
  description: 'Creates one task and publishes `task.created` to webhooks that name this event type.',
  scope: 'tasks:write',
  boundKeys: 'own',
  body: newTaskSchema,
  isIdempotent: true,
  responses: { 201: taskSchema },
  example: taskContentExample,
  exampleAnswer: created,
} as const satisfies Operation;

export const listTasks = {
  id: 'listTasks',
  method: 'GET',
  path,
  tag,
  summary: 'List tasks, newest first',
  scope: 'tasks:read',
  boundKeys: 'own',
  query: z.strictObject({
    status: z.enum(taskStatuses).optional(),
    external_reference: z.string().min(1).max(200).optional(),
    ...pageQuery('tsk'),
  }),
  responses: { 200: pageSchema(taskSchema) },
  exampleAnswer: { data: [created], next_cursor: null },
} as const satisfies Operation;

export const getTask = {
  id: 'getTask',
  method: 'GET',
  path: `${path}/{id}`,
  idPrefix: 'tsk',
  tag,
  summary: 'Read a task',
  description:
    'With `include=history`, the answer also shows when each change of the status was made, and by which key.',
  scope: 'tasks:read',
  boundKeys: 'own',
  query: z.strictObject({ include: z.enum(['history']).optional() }),
  responses: { 200: taskWithHistorySchema },
  exampleAnswer: created,
} as const satisfies Operation;

/**
 * The common properties of the five operations that change a task's status: accept, pick up, deliver, complete, cancel.
 * Each operation answers the task, or 409 with the current and the requested status.
 */
const move = {
  method: 'POST',
  idPrefix: 'tsk',
  tag,
  scope: 'tasks:write',
  boundKeys: 'own',
  isBodyOptional: true,
  isIdempotent: true,
  responses: { 200: taskSchema },
  errors: [409],
} as const;

const nothing = z.strictObject({});

export const acceptTask = {
  ...move,
  id: 'acceptTask',
  path: `${path}/{id}/accept`,
  summary: 'A carrier accepts the task',
  description: 'From `created` to `accepted`; publishes `task.accepted`.',
  body: z.strictObject({ carrier: carrierSchema.nullable().optional() }),
  example: { carrier },
  exampleAnswer: { ...created, status: 'accepted', version: 2, carrier, updated_at: accepted, accepted_at: accepted },
} as const satisfies Operation;

export const pickUpTask = {
  ...move,
  id: 'pickUpTask',
  path: `${path}/{id}/pick-up`,
  summary: 'The carrier picks the item up',
  description: 'From `accepted` to `picked_up`; publishes `task.picked_up`.',
  body: nothing,
} as const satisfies Operation;

export const deliverTask = {
  ...move,
  id: 'deliverTask',
  path: `${path}/{id}/deliver`,
  summary: 'The item reaches its recipient',
  description: 'From `picked_up` to `delivered`; publishes `task.delivered`.',
  body: nothing,
} as const satisfies Operation;

export const completeTask = {
  ...move,
  id: 'completeTask',
  path: `${path}/{id}/complete`,
  summary: 'Close a delivered task',
  description: 'From `delivered` to `completed`; publishes `task.completed`.',
  body: nothing,
} as const satisfies Operation;

export const cancelTask = {
  ...move,
  id: 'cancelTask',
  path: `${path}/{id}/cancel`,
  summary: 'Cancel a task',
  description: 'From any status before `delivered`; publishes `task.cancelled`.',
  body: z.strictObject({ reason: z.string().max(500).nullable().optional() }),
  example: { reason: 'The guest came back for it.' },
} as const satisfies Operation;

export const erasePersonalData = {
  id: 'erasePersonalData',
  method: 'DELETE',
  path: `${path}/{id}/personal-data`,
  idPrefix: 'tsk',
  tag,
  summary: 'Erase the personal data of a settled task',
  description:
    'Only for a task that is `completed` or `cancelled`. `recipient`, both `address` fields, `carrier` and `cancel_reason` become null, and `item` becomes `erased`; the rest of the task stays. The payloads of the events of the task are deleted as by `DELETE /events/{id}/payload`. Repeating the call answers 204.',
  scope: 'tasks:write',
  boundKeys: 'own',
  responses: { 204: null },
  errors: [409],
} as const satisfies Operation;
