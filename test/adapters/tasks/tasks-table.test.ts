import { type DynamoDBClient, QueryCommand } from '@aws-sdk/client-dynamodb';
import { describe, expect, test } from 'vitest';
import { createTasksTable } from '../../../lambdas/adapters/tasks/tasks-table.ts';
import { deriveId, drawId } from '../../../lambdas/domain/foundation/id.ts';
import type { Position } from '../../../lambdas/domain/foundation/page.ts';
import { moved } from '../../../lambdas/domain/tasks/move-task.ts';
import { newTask, type StoredTask, type TaskMove, taskContentSchema } from '../../../lambdas/domain/tasks/task.ts';
import { useTables } from '../../helpers/tables.ts';

const start = Date.parse('2026-11-16T09:30:00.000Z');
const place = { city: 'Oslo', address: 'A 1' };

const taskOf = (owner: string, index: number, reference: string | null = null): StoredTask => {
  const content = taskContentSchema.parse({
    item: `item ${index}`,
    pickup: place,
    dropoff: place,
    external_reference: reference,
  });
  // Three tasks share a millisecond, and every second id is derived.
  const createdMs = start + Math.floor(index / 3);
  const id = index % 2 ? drawId('tsk', createdMs) : deriveId('tsk', owner, String(index));
  return newTask(id, content, { owner, customer: null, content_hash: null, written_by: 'req' }, createdMs);
};

describe('the tasks table', () => {
  const tables = useTables();
  const table = () => createTasksTable(tables.client, tables.domainTable, 30);

  const seed = async (owner: string, count: number, reference: string | null = null): Promise<StoredTask[]> => {
    const tasks = Array.from({ length: count }, (_, index) => taskOf(owner, index, reference));
    await Promise.all(tasks.map((task) => table().add(task, start)));
    return tasks;
  };

  const move = async (owner: string, id: string, name: TaskMove): Promise<void> => {
    const task = await table().get(owner, id, start);
    const writer = {
      by: { accountId: '', keyId: 'key_1', ip: '' },
      requestId: 'req',
      idempotencyKey: null,
      contentHash: '',
    };
    if (task) await table().replace(moved(task, name, {}, writer, start + 5000), task.version);
  };

  const readAll = async (
    owner: string,
    filter: Partial<Parameters<ReturnType<typeof table>['list']>[1]>,
    limit: number,
    between: (page: number) => Promise<unknown> = async () => undefined,
  ): Promise<StoredTask[]> => {
    const tasks: StoredTask[] = [];
    let after: Position | null = null;
    for (let page = 1; ; page++) {
      const { items, next } = await table().list(owner, { customer: null, ...filter }, { limit, after, nowMs: start });
      tasks.push(...items);
      if (!next) return tasks;
      after = next;
      await between(page);
    }
  };

  test('lists 21 tasks in pages of 7 from the newest to the oldest, and by descending id within a millisecond', async () => {
    const tasks = await seed('acc_A#live', 21);

    const listed = await readAll('acc_A#live', {}, 7);

    const byAge = tasks.toSorted((a, b) =>
      a.created_at === b.created_at ? (a.id < b.id ? 1 : -1) : a.created_at < b.created_at ? 1 : -1,
    );
    expect(listed.map(({ id }) => id)).toEqual(byAge.map(({ id }) => id));
  });

  test('lists each of 30 tasks exactly once, in pages of 4, while tasks are created and moved between the pages', async () => {
    const owner = 'acc_B#live';
    const tasks = await seed(owner, 30);
    const [ids, later] = [tasks.map(({ id }) => id), Array.from({ length: 9 }, (_, i) => taskOf(owner, 300 + i))];

    const listed = await readAll(owner, {}, 4, async (page) => {
      const added = later[page - 1];
      const path: TaskMove[] = ['accept', 'pick-up', 'deliver', 'complete'];
      const name = path[page % 4] as TaskMove;
      await Promise.all([
        ...(added ? [table().add(added, start)] : []),
        ...ids
          .slice(page, page + 12)
          .map((id) => move(owner, id, page % 5 === 4 ? 'cancel' : name).catch(() => undefined)),
      ]);
    });

    const old = listed.map(({ id }) => id).filter((id) => ids.includes(id));
    expect(old).toHaveLength(30);
    expect(new Set(old)).toEqual(new Set(ids));
  });

  test('lists all 24 tasks in one page although a task is accepted after each query for this page', async () => {
    const owner = 'acc_E#live';
    const tasks = await seed(owner, 24);
    const waiting = tasks.map(({ id }) => id);
    const moving = {
      send: async (command: QueryCommand) => {
        const output = await tables.client.send(command);
        if (command instanceof QueryCommand) await move(owner, waiting.pop() ?? '', 'accept');
        return output;
      },
    } as unknown as DynamoDBClient;

    const page = { limit: 50, after: null, nowMs: start };
    const { items } = await createTasksTable(moving, tables.domainTable, 30).list(owner, { customer: null }, page);

    expect(items.map(({ id }) => id).toSorted()).toEqual(tasks.map(({ id }) => id).toSorted());
    expect(items.some(({ status }) => status === 'accepted')).toBe(true);
  });

  test('filters tasks by status, by the exact external_reference, and by both', async () => {
    const owner = 'acc_C#live';
    const tasks = await seed(owner, 10, 'RES #1~å');
    for (const task of tasks.slice(0, 4)) await move(owner, task.id, 'accept');
    await table().add(taskOf(owner, 100), start);

    const accepted = await readAll(owner, { status: 'accepted' }, 3);
    const referenced = await readAll(owner, { external_reference: 'RES #1~å' }, 3);
    const both = await readAll(owner, { external_reference: 'RES #1~å', status: 'created' }, 3);

    expect(new Set(accepted.map(({ id }) => id))).toEqual(new Set(tasks.slice(0, 4).map(({ id }) => id)));
    expect(referenced).toHaveLength(10);
    expect(both).toHaveLength(6);
    expect(await readAll(owner, { external_reference: 'RES' }, 3)).toEqual([]);
  });

  test('lists no task of acc_D#live for the owners acc_D#test and acc_D', async () => {
    await seed('acc_D#live', 3);

    expect(await readAll('acc_D#test', {}, 20)).toEqual([]);
    expect(await readAll('acc_D', {}, 20)).toEqual([]);
  });
});
