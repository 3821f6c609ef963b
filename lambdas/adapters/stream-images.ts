import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import * as z from 'zod';
import { commandSchema } from '../domain/command.ts';
import { storedEventSchema } from '../domain/event.ts';
import type { Change } from '../domain/fan-out.ts';
import { storedTaskSchema } from '../domain/task.ts';
import { taskEvent } from '../domain/task-event.ts';

const imageSchema = z.discriminatedUnion('kind', [
  storedTaskSchema.extend({ kind: z.literal('task') }),
  storedEventSchema.extend({ kind: z.literal('event') }),
  commandSchema.extend({ kind: z.literal('command') }),
]);

/** A row's new image in the domain table's stream as the change it means. Throws where it is none that we ever write. */
export const imageToChange = (image: Record<string, unknown>): Change => {
  const row = imageSchema.parse(unmarshall(image as Record<string, AttributeValue>));
  switch (row.kind) {
    case 'task':
      return { kind: 'event', event: taskEvent(row), isStored: false };
    case 'event':
      return { kind: 'event', event: row, isStored: true };
    case 'command':
      return { kind: 'command', command: row };
  }
};
