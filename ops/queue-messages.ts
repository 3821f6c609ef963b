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
  /** Number of times that the message was received, including this time. */
  readonly receiveCount: number;
  readonly sentAtMs: number;
  readonly firstReceivedAtMs: number;
}

/**
 * How many seconds a received message is hidden from other readers: long enough for a large queue. If the command dies,
 * the messages that it received stay hidden for this time.
 */
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
 * Receives each message of a queue once, up to `limit` messages. The messages that `visit` returns are deleted; all
 * others become visible again at the end. Returns the number of received messages.
 */
export const visitMessages = async (
  sqs: SQSClient,
  queueUrl: string,
  limit: number,
  visit: (messages: readonly QueueMessage[]) => Promise<readonly QueueMessage[]>,
): Promise<number> => {
  const hidden = new Map<string, QueueMessage>();
  const seen = new Set<string>();
  try {
    while (seen.size < limit) {
      const { Messages = [] } = await sqs.send(
        new ReceiveMessageCommand({
          QueueUrl: queueUrl,
          MaxNumberOfMessages: Math.min(BATCH, limit - seen.size),
          VisibilityTimeout: HIDDEN_SECONDS,
          // Long polling queries all of SQS's servers. Without it, a response may be empty although the queue has
          // messages.
          WaitTimeSeconds: 1,
          MessageSystemAttributeNames: ['ApproximateReceiveCount', 'SentTimestamp', 'ApproximateFirstReceiveTimestamp'],
        }),
      );
      const fresh = Messages.map(toMessage).filter(({ id }) => !seen.has(id));
      if (fresh.length === 0) break;
      for (const message of fresh) {
        seen.add(message.id);
        hidden.set(message.id, message);
      }
      const done = await visit(fresh);
      if (done.length === 0) continue;
      await sqs.send(new DeleteMessageBatchCommand({ QueueUrl: queueUrl, Entries: entriesOf(done) }));
      for (const { id } of done) hidden.delete(id);
    }
  } finally {
    const remaining = [...hidden.values()];
    for (let i = 0; i < remaining.length; i += BATCH) {
      const Entries = entriesOf(remaining.slice(i, i + BATCH)).map((entry) => ({ ...entry, VisibilityTimeout: 0 }));
      await sqs.send(new ChangeMessageVisibilityBatchCommand({ QueueUrl: queueUrl, Entries }));
    }
  }
  return seen.size;
};

export interface Depth {
  /** Number of messages that are ready to be received. */
  readonly waiting: number;
  readonly in_flight: number;
  /** Number of messages that were sent with a delay that has not passed. */
  readonly delayed: number;
}

/** Reads the numbers of messages in a queue. SQS calls these numbers approximate. */
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
