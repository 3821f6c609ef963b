import type { Journal } from '../state/journal.ts';
import { ACCOUNT, REGION, type Resolve } from '../template/intrinsics.ts';
import type { Resource } from '../template/template.ts';
import { FairOrder } from './fair-order.ts';
import { createFauxqs, type SqsMessage, type SqsQueue } from './fauxqs.ts';
import { storeGroupsIn, whileSending } from './message-groups.ts';
import { type FailedEntry, refusalOfBatch, refusalOfMessage, type SendEntry, splitBatch } from './queue-limits.ts';

export interface ReceivedMessage {
  readonly receiptHandle: string;
  readonly message: SqsMessage;
}

/** A queue without the HTTP protocol, for consumers in this process. */
export interface LocalQueue {
  readonly logicalId: string;
  readonly name: string;
  readonly arn: string;
  /**
   * Receives at most `max` messages; SQS allows ten. A message that has reached the queue's maximum receive count is
   * moved to the dead-letter queue and not returned.
   */
  receive(max: number, visibilityTimeoutSeconds?: number): ReceivedMessage[];
  delete(receiptHandle: string): void;
  /** Resolves when a message is visible. It can also resolve earlier, and it resolves when the queues stop. */
  arrival(): Promise<void>;
  depth(): { visible: number; inFlight: number; delayed: number };
  peek(): SqsMessage[];
  purge(): void;
}

export interface Queues {
  readonly endpoint: string;
  readonly all: ReadonlyMap<string, LocalQueue>;
  stop(): Promise<void>;
}

const attributeNames = [
  'VisibilityTimeout',
  'DelaySeconds',
  'MaximumMessageSize',
  'MessageRetentionPeriod',
  'ReceiveMessageWaitTimeSeconds',
];

export const queueArn = (logicalId: string): string => `arn:aws:sqs:${REGION}:${ACCOUNT}:${logicalId}`;

const attributesOf = (properties: Record<string, unknown>): Record<string, string> => {
  const names = attributeNames.filter((name) => properties[name] !== undefined);
  const attributes = Object.fromEntries(names.map((name) => [name, String(properties[name])]));
  const redrive = properties.RedrivePolicy;
  return redrive ? { ...attributes, RedrivePolicy: JSON.stringify(redrive) } : attributes;
};

/** Makes the queue write each new and each deleted message to the journal. */
const persistIn = (queue: SqsQueue, journal: Journal): void => {
  const ignore = (): void => undefined;
  const persistence = {
    insertMessage: (name: string, message: SqsMessage) => journal.storeMessage(name, message),
    deleteMessage: (id: string) => journal.deleteMessage(id),
    deleteQueueMessages: (name: string) => journal.deleteMessages(name),
    updateMessageInflight: ignore,
    updateMessageReady: ignore,
    updateQueueAttributes: ignore,
    updateQueueSequenceCounter: ignore,
  };
  queue.persistence = persistence as unknown as NonNullable<SqsQueue['persistence']>;
};

/** Puts the messages that were waiting, delayed or in flight when the stack last stopped back into the queue. */
const restore = (queue: SqsQueue, messages: readonly SqsMessage[]): void => {
  for (const message of messages) {
    const isDelayed = message.delayUntil !== undefined && message.delayUntil > Date.now();
    (isDelayed ? queue.delayedMessages : queue.messages).push(message);
  }
};

const LONGEST_POLL_SECONDS = 20;

const localQueue = (
  { logicalId, name }: Resource,
  queue: SqsQueue,
  byArn: (arn: string) => SqsQueue | undefined,
): LocalQueue => {
  const order = new FairOrder(queue);
  return {
    logicalId,
    name,
    arn: queue.arn,
    receive(max, visibilityTimeoutSeconds) {
      queue.processTimers();
      order.apply(max);
      const received = queue.dequeue(max, visibilityTimeoutSeconds, byArn);
      order.findNoisy();
      return received.flatMap(({ ReceiptHandle: receiptHandle }) => {
        const entry = queue.inflightMessages.get(receiptHandle);
        return entry ? [{ receiptHandle, message: entry.message }] : [];
      });
    },
    delete: (receiptHandle) => void queue.deleteMessage(receiptHandle),
    arrival: () => (queue.messages.length > 0 ? Promise.resolve() : queue.waitForMessages(LONGEST_POLL_SECONDS)),
    depth() {
      queue.processTimers();
      const { messages, inflightMessages, delayedMessages } = queue;
      return { visible: messages.length, inFlight: inflightMessages.size, delayed: delayedMessages.length };
    },
    peek() {
      const { ready, delayed, inflight } = queue.inspectMessages();
      return [...ready, ...inflight.map(({ message }) => message), ...delayed];
    },
    purge: () => queue.purge(),
  };
};

/**
 * Starts the template's queues on fauxqs. The HTTP endpoint also rejects messages that SQS rejects but fauxqs accepts.
 */
export const startQueues = async (
  resources: readonly Resource[],
  resolve: Resolve,
  journal: Journal,
): Promise<Queues> => {
  const { store, server } = await createFauxqs();

  // The failed entries of a batch by request; they are added to fauxqs's response about the valid entries.
  const failedEntries = new WeakMap<object, FailedEntry[]>();
  server.addHook('preHandler', (request, reply, done) => {
    const target = request.headers['x-amz-target'];
    const body = request.body as { Entries?: SendEntry[] } & SendEntry;
    if (target === 'AmazonSQS.SendMessage') {
      const refusal = refusalOfMessage(body);
      if (refusal) void reply.code(400).send(sqsError(refusal));
      else whileSending([body], done);
    } else if (target === 'AmazonSQS.SendMessageBatch' && Array.isArray(body.Entries)) {
      const refusal = refusalOfBatch(body.Entries);
      if (refusal) return void reply.code(400).send(sqsError(refusal));
      const { valid, failed } = splitBatch(body.Entries);
      if (valid.length === 0 && failed.length > 0) return void reply.send({ Successful: [], Failed: failed });
      if (failed.length > 0) failedEntries.set(request, failed);
      body.Entries = valid;
      whileSending(valid, done);
    } else done();
  });
  server.addHook('preSerialization', async (request, _, payload) => {
    const failed = failedEntries.get(request);
    if (!failed) return payload;
    const answer = payload as { Failed?: FailedEntry[] };
    return { ...answer, Failed: [...(answer.Failed ?? []), ...failed] };
  });
  const endpoint = await server.listen({ port: 0, host: '127.0.0.1' });

  const all = new Map<string, LocalQueue>();
  for (const resource of resources) {
    const { logicalId, properties } = resource;
    const attributes = attributesOf(resolve(properties) as Record<string, unknown>);
    const queue = store.createQueue(logicalId, `${endpoint}/${ACCOUNT}/${logicalId}`, queueArn(logicalId), attributes);
    restore(queue, journal.messages(logicalId));
    persistIn(queue, journal);
    storeGroupsIn(queue);
    all.set(
      logicalId,
      localQueue(resource, queue, (arn) => store.getQueueByArn(arn)),
    );
  }
  return { endpoint, all, stop: () => server.close() };
};

const sqsError = ({ code, message }: { code: string; message: string }): object => ({
  __type: `com.amazonaws.sqs#${code}`,
  message,
});
