import type { Leave } from './search.ts';

/** Where something that is nobody else's business may stand all the same. */
export const leaves: readonly Leave[] = [
  {
    kind: 'query string',
    where: 'domain-table webhook url',
    reason:
      'It is part of the address that is posted to; reads show it to the account alone, logs and events without it.',
  },
  {
    kind: 'event body',
    where: 'domain-table event data',
    reason: 'The one place where an event is kept, until its account deletes it or its time is over.',
  },
  {
    kind: 'query string',
    where: 'domain-table idempotency answer',
    reason: 'The first answer of two days, kept to be repeated word for word to the account that was given it.',
  },
  {
    kind: 'event body',
    where: 'domain-table task recipient',
    reason: 'The task itself, which its events tell of.',
  },
  {
    kind: 'event body',
    where: 'domain-table job input',
    reason: 'What the worker of the account is to read.',
  },
  {
    kind: 'event body',
    where: 'domain-table job data',
    reason: 'What the worker of the account has answered.',
  },
];
