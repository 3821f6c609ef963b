import type { StoredEvent } from '../../domain/events/event.ts';
import { storedTemplateSchema, templateEvent } from '../../domain/events/template.ts';
import { jobEvent, storedJobSchema } from '../../domain/jobs/job.ts';
import { storedTaskSchema } from '../../domain/tasks/task.ts';
import { taskEvents } from '../../domain/tasks/task-event.ts';

/**
 * Returns the events of the changes that the row of a task, a template or a job shows: all changes of a task, the last of
 * the others. Returns no event of a row whose content was erased, or that this release cannot parse.
 */
export const changedRowToEvents = (row: Readonly<Record<string, unknown>>): StoredEvent[] => {
  const task = row.kind === 'task' ? storedTaskSchema.safeParse(row).data : undefined;
  if (task) return task.personal_data_erased_at === null ? taskEvents(task) : [];
  const template = row.kind === 'template' ? storedTemplateSchema.safeParse(row).data : undefined;
  const job = row.kind === 'job' ? storedJobSchema.safeParse(row).data : undefined;
  const isErased = job?.erased_at !== undefined || job?.deleted_at !== undefined;
  const event = template ? templateEvent(template) : job && !isErased ? jobEvent(job) : null;
  return event ? [event] : [];
};
