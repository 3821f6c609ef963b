import middy from '@middy/core';
import type {
  Context,
  DynamoDBBatchResponse,
  DynamoDBRecord,
  DynamoDBStreamEvent,
  SQSBatchResponse,
  SQSEvent,
  SQSRecord,
} from 'aws-lambda';
import { describeError, log } from './log.ts';

/** What a batch's work is told of its invocation. */
export interface Invocation {
  readonly requestId: string;
  /** When the function will be stopped, milliseconds since the epoch. */
  readonly deadlineMs: number;
}

/**
 * Works on a batch and returns those it could not finish, to come again: through a fault of ours, or for lack of time.
 * A record that can never be parsed is finished: the work logs it or puts it aside.
 */
export type BatchWork<R> = (records: readonly R[], invocation: Invocation) => Promise<readonly R[]>;

const invocationOf = (context: Context): Invocation => ({
  requestId: context.awsRequestId,
  deadlineMs: Date.now() + context.getRemainingTimeInMillis(),
});

/** Runs the work. What it throws is logged and costs the whole batch, which then comes back. */
const attempt = async <R>(work: BatchWork<R>, records: readonly R[], context: Context): Promise<readonly R[]> => {
  try {
    return await work(records, invocationOf(context));
  } catch (error) {
    log('error', 'batch.failed', {
      request_id: context.awsRequestId,
      records: records.length,
      error: describeError(error),
    });
    throw error;
  }
};

/** A function on a queue. A failed item is a message id; a wrong or empty one would fail the whole batch. */
export const queueHandler = (work: BatchWork<SQSRecord>) =>
  middy<SQSEvent, SQSBatchResponse>().handler(async (event: SQSEvent, context: Context): Promise<SQSBatchResponse> => {
    const unfinished = await attempt(work, event.Records, context);
    return { batchItemFailures: unfinished.map(({ messageId }) => ({ itemIdentifier: messageId })) };
  });

/** A function on a table's stream. A failed item is a sequence number, and everything from it on comes again: only the first unfinished is named. */
export const streamHandler = (work: BatchWork<DynamoDBRecord>) =>
  middy<DynamoDBStreamEvent, DynamoDBBatchResponse>().handler(
    async (event: DynamoDBStreamEvent, context: Context): Promise<DynamoDBBatchResponse> => {
      const unfinished = new Set(await attempt(work, event.Records, context));
      const first = event.Records.find((record) => unfinished.has(record))?.dynamodb?.SequenceNumber;
      return { batchItemFailures: first === undefined ? [] : [{ itemIdentifier: first }] };
    },
  );
