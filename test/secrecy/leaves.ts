import type { Leave } from './search.ts';

/** The places where secret or private text may be stored. */
export const leaves: readonly Leave[] = [
  {
    kind: 'query string',
    where: 'domain-table webhook url',
    reason:
      'The query is part of the address that webhooks are sent to. Only the account can read it; logs and events omit it.',
  },
  {
    kind: 'event body',
    where: 'domain-table event data',
    reason: 'The only place that stores an event, until the account deletes its content or its retention ends.',
  },
  {
    kind: 'query string',
    where: 'domain-table idempotency answer',
    reason: 'The first response to an Idempotency-Key, stored for two days to repeat it to the same account.',
  },
  {
    kind: 'event body',
    where: 'domain-table task recipient',
    reason: 'The task itself, which is the body of its events.',
  },
  {
    kind: 'event body',
    where: 'domain-table job input',
    reason: "The input of a job, for the account's worker.",
  },
  {
    kind: 'event body',
    where: 'domain-table job data',
    reason: "The result of a job from the account's worker.",
  },
];
