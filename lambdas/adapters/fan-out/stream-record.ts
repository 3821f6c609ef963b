import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import * as z from 'zod';
import { commandSchema } from '../../domain/deliveries/command.ts';
import { type StoredEvent, storedEventSchema } from '../../domain/events/event.ts';
import { storedTemplateSchema, templateEvent } from '../../domain/events/template.ts';
import type { Change } from '../../domain/fan-out/fan-out.ts';
import { jobEvent, storedJobSchema } from '../../domain/jobs/job.ts';
import { storedTaskSchema } from '../../domain/tasks/task.ts';
import { taskEvent } from '../../domain/tasks/task-event.ts';

const imageSchema = z.discriminatedUnion('kind', [
  storedTaskSchema.extend({ kind: z.literal('task') }),
  storedEventSchema.extend({ kind: z.literal('event') }),
  z.looseObject({ kind: z.literal('command') }),
  storedTemplateSchema.extend({ kind: z.literal('template') }),
  storedJobSchema.extend({ kind: z.literal('job') }),
]);

const eventToChange = (event: StoredEvent | null): Change | null => event && { kind: 'event', event, isStored: false };

/**
 * Returns the change that a row's new image in the domain table's stream describes, or null if the row causes no event.
 * Throws if this release does not know the kind of the row or cannot parse the image.
 */
export const imageToChange = (image: Record<string, unknown>): Change | null => {
  const row = imageSchema.parse(unmarshall(image as Record<string, AttributeValue>));
  switch (row.kind) {
    case 'task':
      // The erasure of personal data is no move of the task, and causes no event.
      return row.personal_data_erased_at === null ? eventToChange(taskEvent(row)) : null;
    case 'event':
      return { kind: 'event', event: row, isStored: true };
    case 'command':
      return { kind: 'command', command: commandSchema.parse(row) };
    case 'template':
      return eventToChange(templateEvent(row));
    case 'job':
      return eventToChange(jobEvent(row));
  }
};
