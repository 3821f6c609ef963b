import { describe, expect, it } from 'vitest';
import { changedRowToEvents } from '../../../lambdas/adapters/rows/changed-row.ts';
import { newTask, taskContentSchema } from '../../../lambdas/domain/tasks/task.ts';

const content = taskContentSchema.parse({
  item: 'A parcel',
  pickup: { city: 'Oslo', address: 'Storgata 1' },
  dropoff: { city: 'Bergen', address: 'Bryggen 2' },
});
const task = newTask(
  'tsk_1',
  content,
  { owner: 'acc_1#live', customer: null, content_hash: null, written_by: 'req_1' },
  Date.UTC(2026, 10, 1),
);

describe('changedRowToEvents', () => {
  it('returns the event of a created task, and none once the personal data of the task is erased', () => {
    const row = { ...task, kind: 'task' };

    expect(changedRowToEvents(row)).toMatchObject([{ type: 'task.created', sequence: 1 }]);
    expect(changedRowToEvents({ ...row, personal_data_erased_at: task.created_at })).toEqual([]);
  });

  it('returns no event of a row that this release cannot parse, and of a webhook', () => {
    expect(changedRowToEvents({ ...task, kind: 'task', v: 99 })).toEqual([]);
    expect(changedRowToEvents({ kind: 'webhook', id: 'whk_1' })).toEqual([]);
  });
});
