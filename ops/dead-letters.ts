import { ago, type Command, wholeNumber } from './command.ts';
import { type DeadLetter, readDeadLetters } from './dead-letter.ts';
import type { Deployment } from './deployment.ts';
import { type Failure, failureOf } from './failure.ts';
import { type QueueMessage, visitMessages } from './queue-messages.ts';

const peek = async ({ sqs }: Deployment, queueUrl: string, limit: number): Promise<QueueMessage[]> => {
  const messages: QueueMessage[] = [];
  await visitMessages(sqs, queueUrl, limit, async (batch) => {
    messages.push(...batch);
    return [];
  });
  return messages;
};

const attemptLine = ({ last_attempt }: DeadLetter, nowMs: number): string[] => {
  if (!last_attempt) return [];
  const { number, at, http_status, error } = last_attempt;
  const outcome = [http_status === null ? 'no answer' : `status ${http_status}`, ...(error ? [error] : [])].join(', ');
  return [`  attempt ${number}, ${ago(Date.parse(at), nowMs)}: ${outcome}`];
};

const deadLetterLines = (letter: DeadLetter, nowMs: number): string[] => [
  letter.delivery_id === null
    ? `message ${letter.message_id}`
    : `delivery ${letter.delivery_id}  ${letter.event_type ?? ''}  ${letter.status ?? ''}`.trimEnd(),
  ...(letter.delivery_id === null ? [] : [`  webhook ${letter.webhook_id}  event ${letter.event_id}`]),
  `  The message was received ${letter.receive_count} times, first ${ago(Date.parse(letter.first_received_at), nowMs)}`,
  ...attemptLine(letter, nowMs),
  `  ${letter.reason}`,
];

const failureLines = ({ message_id, row, change, put_aside_at, reason }: Failure, nowMs: number): string[] => [
  row ? `${row.kind ?? 'row'} ${row.pk} / ${row.sk}  ${change ?? ''}`.trimEnd() : `message ${message_id}`,
  `  The message was put aside ${ago(Date.parse(put_aside_at), nowMs)}`,
  `  ${reason}`,
];

export const deadLetters: Command = {
  summary: 'show failed messages and the reasons; deletes nothing',
  details:
    'Reads both queues that have an alarm: delivery messages that were received too often, and changes that the fan-out could\nnot carry out. While the command runs, the messages are hidden from other readers. Each look raises their receive count.',
  options: {
    limit: {
      type: 'string',
      value: 'N',
      description: 'the most messages to show from each queue, 1–10,000; 100 by default',
    },
  },
  prepare(values) {
    const limit = wholeNumber(values, 'limit', [1, 10_000], 100);
    return async (deployment) => {
      const { dynamo, resources } = deployment;
      const [letters, changes] = await Promise.all(
        [resources.deadLetters, resources.failures].map((url) => peek(deployment, url, limit)),
      );
      const dead_letters = await readDeadLetters(dynamo, resources.deliveryTable, letters ?? []);
      const failures = (changes ?? []).map(failureOf);
      const nowMs = Date.now();
      return {
        data: { dead_letters, failures },
        lines: [
          `Dead letters: ${dead_letters.length}`,
          ...dead_letters.flatMap((letter) => deadLetterLines(letter, nowMs)),
          `Failures: ${failures.length}`,
          ...failures.flatMap((failure) => failureLines(failure, nowMs)),
        ],
      };
    };
  },
};
