import {
  ChangeMessageVisibilityBatchCommand,
  DeleteMessageBatchCommand,
  GetQueueAttributesCommand,
  type Message,
  ReceiveMessageCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs';

export interface QueueMessage {
  readonly id: string;
  readonly receipt: string;
  readonly body: string;
  /** By all who tried, this look included. */
  readonly receiveCount: number;
  readonly sentAtMs: number;
  readonly firstReceivedAtMs: number;
}

/** Long enough to go through a large queue; whoever ends in the middle hides what it saw for as long. */
const HIDDEN_SECONDS = 600;
const BATCH = 10;

const toMessage = ({ MessageId = '', ReceiptHandle = '', Body = '', Attributes = {} }: Message): QueueMessage => ({
  id: MessageId,
  receipt: ReceiptHandle,
  body: Body,
  receiveCount: Number(Attributes.ApproximateReceiveCount),
  sentAtMs: Number(Attributes.SentTimestamp),
  firstReceivedAtMs: Number(Attributes.ApproximateFirstReceiveTimestamp ?? Attributes.SentTimestamp),
});

const entriesOf = (messages: readonly QueueMessage[]) =>
  messages.map(({ receipt }, index) => ({ Id: String(index), ReceiptHandle: receipt }));

/**
 * Goes through a queue, each message once. `use` says which it is done with: those are deleted; all others can be seen by
 * everybody again at the end, as if nobody had looked. Answers how many were looked at.
 */
export const goThrough = async (
  sqs: SQSClient,
  queueUrl: string,
  atMost: number,
  use: (messages: readonly QueueMessage[]) => Promise<readonly QueueMessage[]>,
): Promise<number> => {
  const kept = new Map<string, QueueMessage>();
  const seen = new Set<string>();
  try {
    while (seen.size < atMost) {
      const { Messages = [] } = await sqs.send(
        new ReceiveMessageCommand({
          QueueUrl: queueUrl,
          MaxNumberOfMessages: Math.min(BATCH, atMost - seen.size),
          VisibilityTimeout: HIDDEN_SECONDS,
          // Asks all of SQS's servers: without waiting, an answer may be empty while messages are there.
          WaitTimeSeconds: 1,
          MessageSystemAttributeNames: ['ApproximateReceiveCount', 'SentTimestamp', 'ApproximateFirstReceiveTimestamp'],
        }),
      );
      const fresh = Messages.map(toMessage).filter(({ id }) => !seen.has(id));
      if (fresh.length === 0) break;
      for (const message of fresh) {
        seen.add(message.id);
        kept.set(message.id, message);
      }
      const done = await use(fresh);
      if (done.length === 0) continue;
      await sqs.send(new DeleteMessageBatchCommand({ QueueUrl: queueUrl, Entries: entriesOf(done) }));
      for (const { id } of done) kept.delete(id);
    }
  } finally {
    const left = [...kept.values()];
    for (let i = 0; i < left.length; i += BATCH) {
      const Entries = entriesOf(left.slice(i, i + BATCH)).map((entry) => ({ ...entry, VisibilityTimeout: 0 }));
      await sqs.send(new ChangeMessageVisibilityBatchCommand({ QueueUrl: queueUrl, Entries }));
    }
  }
  return seen.size;
};

export interface Depth {
  /** Ready to be received. */
  readonly waiting: number;
  readonly in_flight: number;
  /** Sent with a delay that is not over. */
  readonly delayed: number;
}

/** SQS's own numbers, which it calls approximate. */
export const depthOf = async (sqs: SQSClient, queueUrl: string): Promise<Depth> => {
  const { Attributes = {} } = await sqs.send(
    new GetQueueAttributesCommand({
      QueueUrl: queueUrl,
      AttributeNames: [
        'ApproximateNumberOfMessages',
        'ApproximateNumberOfMessagesNotVisible',
        'ApproximateNumberOfMessagesDelayed',
      ],
    }),
  );
  return {
    waiting: Number(Attributes.ApproximateNumberOfMessages),
    in_flight: Number(Attributes.ApproximateNumberOfMessagesNotVisible),
    delayed: Number(Attributes.ApproximateNumberOfMessagesDelayed),
  };
};
